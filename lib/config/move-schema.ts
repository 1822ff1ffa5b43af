import { z } from 'zod'

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'expected letters, digits, dots, dashes or underscores')
const address = z
  .string()
  .regex(/^https?:\/\/[^/\s]+[^/\s]$/, 'expected http:// or https://, a host and a port, without a path')
const share = z.number().min(0).max(1)
const count = z.int().min(1)
const seconds = z.number().positive()
const path = z.string().min(1)

/** What stands before model servers. */
export const routerSchema = z
  .strictObject({
    host: z.string().min(1).default('127.0.0.1'),
    port: z.int().min(1).max(65535).default(14010),
    url: address.optional(),
    tokenFile: path.optional(),
    timeoutSeconds: seconds.default(10),
    recent: z.int().min(0).max(10_000).default(200),
  })
  .prefault({})

const compare = z
  .strictObject({
    requests: path.optional(),
    count: count.max(10_000).default(50),
    agreement: share.default(0.99),
    scoreDelta: z.number().min(0).default(0.01),
    latencyRatio: z.number().positive().default(3),
    waitSeconds: z.number().min(0).default(30),
    shadow: share.default(0),
  })
  .prefault({})

const redirect = z
  .strictObject({
    steps: z.array(z.number().positive().max(100)).min(1).default([1, 10, 50, 100]),
    holdSeconds: z.number().min(0).default(30),
    errorShare: share.default(0.01),
  })
  .refine(({ steps }) => steps.at(-1) === 100 && steps.every((one, at) => at === 0 || one > steps[at - 1]!), {
    path: ['steps'],
    message: 'expected percentages that rise, the last of them 100',
  })
  .prefault({})

/** A service that is moved from one model server to another. */
export const moveSchema = z.strictObject({
  name,
  service: name.optional(),
  source: z.strictObject({
    url: address,
    service: name,
    directory: path.optional(),
    clear: z.enum(['mem', 'lib', 'full', 'dir']).default('mem'),
  }),
  target: z.strictObject({
    url: address,
    service: name,
    repository: path.optional(),
    directory: path.optional(),
    node: name.optional(),
    parameters: z
      .strictObject({
        input: z.record(z.string(), z.unknown()).optional(),
        mllib: z.record(z.string(), z.unknown()).optional(),
        output: z.record(z.string(), z.unknown()).optional(),
      })
      .optional(),
  }),
  warmUp: count.max(1_000).default(5),
  compare,
  redirect,
})

export const movesSchema = z
  .array(moveSchema)
  .refine(
    (list) => new Set(list.map((move) => move.name)).size === list.length,
    'two moves have the same name',
  )
  .default([])

export type MoveOrder = z.output<typeof moveSchema>
