import type { Content } from '../../domain/content.ts'
import type { EmbedFault } from '../../ports/embedding-server.ts'
import { joinRows, parseJson, readFloats } from './rows.ts'
import { noAnswer, type Refusal, toBase64, type Wire, type WireSettings, wrongValues } from './wire.ts'

/** What OpenAI takes at once. */
const LIMITS = { items: 2048, tokens: 300_000 }
/** The models that give embeddings of any length that is asked for; others refuse to be asked. */
const SHORTENING = /^text-embedding-3-/

type Entry = { readonly index?: unknown; readonly embedding?: unknown }

/** The API of OpenAI, which vLLM, Infinity and many others speak too. Source: openai/openai-openapi, createEmbedding. */
export function createOpenaiWire({ model, dimensions }: WireSettings): Wire {
  return {
    write: (contents) => ({
      path: '/v1/embeddings',
      body: JSON.stringify({
        model,
        input: contents.map(renderInput),
        encoding_format: 'base64',
        ...(contents[0]?.kind === 'image' && { modality: 'image' }),
        ...(SHORTENING.test(model) && { dimensions }),
      }),
    }),
    read({ body }, shape) {
      const { data } = (parseJson(body) ?? {}) as { data?: unknown }
      if (!Array.isArray(data)) throw noAnswer('answered no list of "data"')
      return joinRows(sortByIndex(data as Entry[]), shape)
    },
    countTokens({ body }) {
      // At the end of an answer that may be long, and that has been read once.
      const [, tokens] = /"total_tokens"\s*:\s*(\d+)/.exec(body.subarray(-256).toString('latin1')) ?? []
      return tokens === undefined ? undefined : Number(tokens)
    },
    judge,
    async findProblem(get) {
      const { status } = await get('/v1/models')
      // Some servers of this kind have no list of their models.
      return status === 200 || status === 404 ? undefined : `/v1/models answered ${status}`
    },
    describe: async () => ({ limits: LIMITS }),
  }
}

function renderInput(content: Content): string {
  if (content.kind === 'text') return content.text
  return `data:${content.mediaType};base64,${toBase64(content.bytes)}`
}

/** The embeddings in the order of the contents, which an answer need not keep. Raises WrongAnswerError. */
function sortByIndex(data: readonly Entry[]): (Float32Array | readonly unknown[])[] {
  const sorted: (Float32Array | readonly unknown[])[] = []
  for (const [place, entry] of data.entries()) {
    const { index = place, embedding } = entry ?? {}
    if (typeof index !== 'number' || !(index in data) || sorted[index] !== undefined) {
      throw wrongValues(`embedding ${place} has the index ${index}`)
    }
    sorted[index] = readEmbedding(embedding, place)
  }
  return sorted
}

/** Some servers heed no `encoding_format`, and answer lists. */
function readEmbedding(embedding: unknown, place: number): Float32Array | readonly unknown[] {
  if (typeof embedding === 'string') return readFloats(Buffer.from(embedding, 'base64'))
  if (Array.isArray(embedding)) return embedding
  throw noAnswer(`embedding ${place} is neither base64 nor a list`)
}

function judge({ status, json, message }: Refusal): EmbedFault {
  if (status === 429) return isQuotaSpent(json) ? 'stop' : 'overloaded'
  if ([401, 403, 404].includes(status)) return 'stop'
  if (status === 400 && /model\b.*\b(not found|not exist|unknown|not supported)/i.test(message)) return 'stop'
  if (status === 503 || status === 529) return 'overloaded'
  return [400, 413, 422].includes(status) ? 'split' : 'transient'
}

/** Waiting brings no quota back. */
function isQuotaSpent(json: unknown): boolean {
  const { error } = (json ?? {}) as { error?: { code?: unknown; type?: unknown } }
  return error?.code === 'insufficient_quota' || error?.type === 'insufficient_quota'
}
