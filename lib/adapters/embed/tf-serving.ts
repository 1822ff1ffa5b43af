import type { Model } from '../../domain/model.ts'
import type { Embedder } from '../../ports/embedder.ts'
import { createHttpClient, type HttpClient } from '../http/client.ts'
import { UnreachableError } from '../http/unreachable.ts'
import { parsePredictions } from './parse-predictions.ts'

export type TfServingOptions = {
  /** Base addresses of equal servers as they are known now, for example `http://tf-serving:8501`. */
  readonly endpoints: () => readonly string[]
  readonly model: Pick<Model, 'name' | 'dimensions'>
  /** How long one request may take. */
  readonly timeoutMs: number
  readonly client?: HttpClient
}

const BATCH = 256
const ATTEMPTS = 2

/** An embedder behind TensorFlow Serving's REST API, asked in its column form (`inputs`). */
export function createTfServingEmbedder(options: TfServingOptions): Embedder {
  const { model, client = createHttpClient() } = options
  let turn = 0
  const chooseUrl = () => {
    const endpoints = options.endpoints()
    if (endpoints.length === 0) throw new UnreachableError('no extraction server is known')
    const base = endpoints[turn++ % endpoints.length]!.replace(/\/+$/, '')
    return `${base}/v1/models/${encodeURIComponent(model.name)}:predict`
  }
  const predict = async (texts: readonly string[], signal: AbortSignal) => {
    const url = chooseUrl()
    const body = JSON.stringify({ inputs: texts })
    const limited = AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)])
    const reply = await client.post(url, { body, contentType: 'application/json', signal: limited })
    const answer = reply.body.toString('utf8')
    if (reply.status !== 200) {
      throw new UnreachableError(`${url} answered ${reply.status}: ${readMessage(answer)}`)
    }
    return parsePredictions(answer, { count: texts.length, dimensions: model.dimensions, where: url })
  }
  return {
    async embed(texts, signal) {
      const rows = new Float32Array(texts.length * model.dimensions)
      for (let first = 0; first < texts.length; first += BATCH) {
        const batch = texts.slice(first, first + BATCH)
        rows.set(await retry(() => predict(batch, signal), signal), first * model.dimensions)
      }
      return rows
    },
  }
}

async function retry<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let left = ATTEMPTS - 1; ; left--) {
    try {
      return await attempt()
    } catch (error) {
      if (left === 0 || signal.aborted || !(error instanceof UnreachableError)) throw error
    }
  }
}

/** The words of a server's error, which TensorFlow Serving gives as `{"error": "..."}`. */
function readMessage(answer: string): string {
  try {
    const { error } = JSON.parse(answer) as { error?: unknown }
    return typeof error === 'string' ? error : answer.slice(0, 200)
  } catch {
    return answer.slice(0, 200)
  }
}
