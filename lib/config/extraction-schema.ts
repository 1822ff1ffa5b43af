import { z } from 'zod'

/** How a server that turns contents into embeddings is spoken to. */
export const PROTOCOLS = ['tf-serving', 'kserve', 'triton', 'tei', 'openai', 'deepdetect'] as const
export type Protocol = (typeof PROTOCOLS)[number]

export const DEVICES = ['auto', 'cpu', 'gpu'] as const
export type Device = (typeof DEVICES)[number]

const count = z.int().min(1)
const word = z.string().min(1)

/** What embeds under one model: a server, or an extraction service of our own. */
export const extractionSchema = z
  .strictObject({
    url: z.url({ protocol: /^https?$/ }).optional(),
    protocol: z.enum(PROTOCOLS).default('tf-serving'),
    form: z.enum(['inputs', 'instances']).default('inputs'),
    serverModel: word.optional(),
    input: word.optional(),
    output: word.optional(),
    keyVariable: z
      .string()
      .regex(/^[A-Z_][A-Z0-9_]*$/, 'expected the name of an environment variable, in capitals')
      .optional(),
    onnx: z.string().min(1).optional(),
    device: z.enum(DEVICES).default('auto'),
    replicas: count.default(1),
    timeoutSeconds: z.number().positive().default(10),
    batchItems: count.optional(),
    batchKilobytes: count.optional(),
    batchTokens: count.optional(),
    inFlight: count.optional(),
    price: z
      .strictObject({
        perHour: z.number().min(0).optional(),
        perMillionTokens: z.number().min(0).optional(),
        currency: word.default('USD'),
      })
      .prefault({}),
  })
  .refine(({ url, onnx }) => url === undefined || onnx === undefined, 'expected url or onnx, found both')
  .prefault({})

export type Extraction = z.output<typeof extractionSchema>
