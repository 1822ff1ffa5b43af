import { LongshoreError } from '../../domain/errors.ts'
import type { Model } from '../../domain/model.ts'
import type { EmbeddingServer } from '../../ports/embedding-server.ts'
import { createHttpClient, type HttpConnections } from '../http/client.ts'
import { createDeepdetectWire } from './deepdetect.ts'
import { createHttpEmbeddingServer } from './http-server.ts'
import { createKserveWire } from './kserve.ts'
import { createOpenaiWire } from './openai.ts'
import { createTeiWire } from './tei.ts'
import { createTfServingWire } from './tf-serving.ts'
import { createTritonWire } from './triton.ts'
import type { Wire, WireSettings } from './wire.ts'

/** The most bytes of an answer: a thousand embeddings of 4096 dimensions, each value with 20 digits. */
const MOST_ANSWER_BYTES = 128 << 20

const WIRES = {
  'tf-serving': createTfServingWire,
  kserve: createKserveWire,
  triton: createTritonWire,
  tei: createTeiWire,
  openai: createOpenaiWire,
  deepdetect: createDeepdetectWire,
} satisfies Record<string, (settings: WireSettings) => Wire>

export type EmbeddingServerOptions = {
  /** Base addresses of equal servers as they are known now, for example `http://tf-serving:8501`. */
  readonly endpoints: () => readonly string[]
  readonly model: Pick<Model, 'name' | 'dimensions' | 'normalized'>
  /** How the servers are spoken to, as the profile declares it. */
  readonly extraction: {
    readonly protocol: keyof typeof WIRES
    readonly form?: WireSettings['form']
    readonly serverModel?: string | undefined
    readonly input?: string | undefined
    readonly output?: string | undefined
    readonly keyVariable?: string | undefined
  }
  /** How long one request may take. */
  readonly timeoutMs: number
  readonly client?: HttpConnections
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** A group of equal servers, spoken to by their protocol. Raises `usage` where the variable of the API key is not set. */
export function createEmbeddingServer(options: EmbeddingServerOptions): EmbeddingServer {
  const { endpoints, model, extraction, timeoutMs, env = process.env } = options
  const { protocol, form, serverModel = model.name, input, output, keyVariable } = extraction
  const { dimensions, normalized } = model
  return createHttpEmbeddingServer(
    WIRES[protocol]({ model: serverModel, dimensions, normalized, form, input, output }),
    {
      endpoints,
      dimensions,
      timeoutMs,
      key: readKey(env, keyVariable),
      client: options.client ?? createHttpClient({ mostBytes: MOST_ANSWER_BYTES }),
    },
  )
}

function readKey(
  env: Readonly<Record<string, string | undefined>>,
  name: string | undefined,
): string | undefined {
  if (name === undefined) return undefined
  const key = env[name]?.trim()
  if (key) return key
  throw new LongshoreError('usage', `${name}: expected the API key of the embedding server, found nothing`, {
    hint: `set the environment variable ${name}`,
  })
}
