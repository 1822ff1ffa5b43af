import type { Content } from '../../domain/content.ts'
import { type Embedded, type EmbeddingServer, EmbedError } from '../../ports/embedding-server.ts'
import { type HttpAnswer, type HttpConnections, hideUser } from '../http/client.ts'
import { UnreachableError } from '../http/unreachable.ts'
import { createEndpoints } from './endpoints.ts'
import { readRefusal } from './refusal.ts'
import { readRetryAfter } from './retry-after.ts'
import { checkFinite } from './rows.ts'
import { type Get, type Shape, type Wire, WrongAnswerError } from './wire.ts'

export type HttpServerOptions = {
  /** Base addresses of equal servers as they are known now, for example `http://tf-serving:8501`. */
  readonly endpoints: () => readonly string[]
  readonly dimensions: number
  /** How long one request may take. */
  readonly timeoutMs: number
  /** The server's API key; never shown. */
  readonly key?: string | undefined
  readonly client: HttpConnections
}

/** Speaks a protocol with a group of equal servers. */
export function createHttpEmbeddingServer(wire: Wire, options: HttpServerOptions): EmbeddingServer {
  const { dimensions, timeoutMs, key, client } = options
  const endpoints = createEndpoints(options.endpoints, () => performance.now())
  const secret = key === undefined ? {} : { authorization: `Bearer ${key}` }
  const limit = (signal: AbortSignal) => AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  const createGet =
    (endpoint: string, signal: AbortSignal): Get =>
    (path) =>
      client.get(joinUrl(endpoint, path), { headers: secret, signal: limit(signal) })
  /** Does something at one of the servers; one that does not answer is left alone for some time. */
  const askOne = async <T>(signal: AbortSignal, ask: (endpoint: string) => Promise<T>): Promise<T> => {
    const endpoint = endpoints.choose()
    if (endpoint === undefined) throw new EmbedError('transient', 'no extraction server is known')
    try {
      return await ask(endpoint)
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error
      if (!signal.aborted) endpoints.rest(endpoint)
      throw new EmbedError(isLate(error) ? 'overloaded' : 'transient', error.message, { cause: error })
    }
  }
  const learn = rememberSuccess((endpoint: string, signal: AbortSignal) =>
    locate(endpoint, async () => (await wire.learn?.(createGet(endpoint, signal))) ?? wire),
  )
  const embedAt = async (endpoint: string, contents: readonly Content[], signal: AbortSignal) => {
    const ready = await learn(endpoint, signal)
    const { path, body, contentType = 'application/json', headers, sent } = ready.write(contents)
    const url = joinUrl(endpoint, path)
    const asking = { body, contentType, headers: { ...headers, ...secret }, signal: limit(signal) }
    const answer = await client.post(url, asking)
    if (answer.status !== 200) throw explainRefusal(ready, answer, { url, key })
    return locate(url, async () => readAnswer(ready, answer, { count: contents.length, dimensions, sent }))
  }
  return {
    embed: (contents, signal) => askOne(signal, (endpoint) => embedAt(endpoint, contents, signal)),
    describe: (signal) =>
      askOne(signal, (endpoint) =>
        locate(endpoint, async () => (await wire.describe?.(createGet(endpoint, signal))) ?? { limits: {} }),
      ),
    async findProblem(signal) {
      let first: string | undefined
      for (const endpoint of endpoints.list()) {
        const problem = await findProblemAt(wire, endpoint, createGet(endpoint, signal))
        if (problem === undefined) return undefined
        first ??= problem
      }
      return first ?? 'no extraction server is known'
    },
    close: () => client.close(),
  }
}

/** Who does not answer in time has too much to do. */
function isLate({ cause }: UnreachableError): boolean {
  return cause instanceof DOMException && cause.name === 'TimeoutError'
}

/** Addresses of some servers end with the version of their API, which is a part of the paths too. */
function joinUrl(endpoint: string, path: string): string {
  const version = /\/v[12]$/.exec(endpoint)?.[0]
  return version !== undefined && path.startsWith(`${version}/`)
    ? endpoint + path.slice(version.length)
    : endpoint + path
}

function readAnswer(wire: Wire, answer: HttpAnswer, shape: Shape): Embedded {
  const vectors = wire.read(answer, shape)
  checkFinite(vectors, shape)
  const tokens = wire.countTokens?.(answer)
  return { vectors, ...(tokens !== undefined && { tokens }) }
}

async function findProblemAt(wire: Wire, endpoint: string, get: Get): Promise<string | undefined> {
  const where = hideUser(endpoint)
  try {
    const problem = await wire.findProblem(get)
    return problem && `${where}: ${problem}`
  } catch (error) {
    if (error instanceof UnreachableError) return error.message
    if (error instanceof EmbedError) return `${where}: ${error.message}`
    throw error
  }
}

function explainRefusal(
  wire: Wire,
  answer: HttpAnswer,
  { url, key }: { readonly url: string; readonly key: string | undefined },
): EmbedError {
  const refusal = readRefusal(answer, key)
  const retryAfterMs = readRetryAfter(answer.headers, Date.now())
  const message = `${hideUser(url)} answered ${refusal.status}: ${refusal.message}`
  return new EmbedError(wire.judge(refusal), message, { retryAfterMs })
}

/** Says of an EmbedError where it was. */
async function locate<T>(url: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof EmbedError)) throw error
    const Kind = error instanceof WrongAnswerError ? WrongAnswerError : EmbedError
    throw new Kind(error.fault, `${hideUser(url)}: ${error.message}`, { cause: error })
  }
}

/** Does once what succeeds once; whoever asks meanwhile waits for the same. */
function rememberSuccess<A extends unknown[], T>(
  work: (...asked: A) => Promise<T>,
): (...asked: A) => Promise<T> {
  let known: Promise<T> | undefined
  return async (...asked) => {
    known ??= work(...asked)
    try {
      return await known
    } catch (error) {
      known = undefined
      throw error
    }
  }
}
