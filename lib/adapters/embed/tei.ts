import { digestOf, type Json } from '../../domain/canonical-json.ts'
import { EmbedError, type EmbedFault, type ServerDescription } from '../../ports/embedding-server.ts'
import { joinRows, parseJson } from './rows.ts'
import { noAnswer, type Refusal, type Wire, type WireSettings } from './wire.ts'

/** Below the 2 MB that a request may have, for contents that JSON makes longer. */
const MOST_BYTES = 1 << 20

/** Hugging Face text-embeddings-inference. Source: its router/src/http/server.rs. */
export function createTeiWire({ normalized }: WireSettings): Wire {
  return {
    write(contents) {
      const inputs = contents.map((content) => {
        if (content.kind === 'text') return content.text
        throw new EmbedError('split', 'text-embeddings-inference embeds texts alone')
      })
      // Recent servers cut long texts by default, and a silently different vector is worse than an error.
      return { path: '/embed', body: JSON.stringify({ inputs, truncate: false, normalize: normalized }) }
    },
    read({ body }, shape) {
      const rows = parseJson(body)
      if (!Array.isArray(rows)) throw noAnswer('answered no list of embeddings')
      return joinRows(rows, shape)
    },
    countTokens({ headers }) {
      const tokens = Number(headers['x-compute-tokens'])
      return Number.isFinite(tokens) ? tokens : undefined
    },
    judge,
    async findProblem(get) {
      const { status } = await get('/health')
      return status === 200 ? undefined : `/health answered ${status}`
    },
    async describe(get) {
      const { status, body } = await get('/info')
      if (status !== 200) throw new EmbedError('transient', `/info answered ${status}`)
      return describeInfo((parseJson(body) ?? {}) as Info)
    },
  }
}

type Info = {
  readonly model_id?: unknown
  readonly model_sha?: Json
  readonly model_dtype?: Json
  readonly model_type?: Json
  readonly max_concurrent_requests?: unknown
  readonly max_batch_tokens?: unknown
  readonly max_client_batch_size?: unknown
}

/** Every item of a batch takes a permit of its own, and one that is missing refuses the whole batch. */
function describeInfo(info: Info): ServerDescription {
  const items = readCount(info.max_client_batch_size)
  const tokens = readCount(info.max_batch_tokens)
  const permits = readCount(info.max_concurrent_requests)
  const { model_id, model_sha, model_dtype, model_type } = info
  return {
    limits: { bytes: MOST_BYTES, ...(items && { items }), ...(tokens && { tokens }) },
    ...(permits && items && { inFlight: Math.max(1, Math.floor(permits / items)) }),
    ...(typeof model_id === 'string' && {
      fingerprint: digestOf({
        model_id,
        model_sha: model_sha ?? null,
        model_dtype: model_dtype ?? null,
        model_type: model_type ?? null,
      }),
    }),
  }
}

function readCount(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 1 ? value : undefined
}

function judge({ status }: Refusal): EmbedFault {
  if (status === 429 || status === 503) return 'overloaded'
  if ([401, 403, 404].includes(status)) return 'stop'
  return [400, 413, 422].includes(status) ? 'split' : 'transient'
}
