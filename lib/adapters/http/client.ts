import { Agent, request } from 'undici'
import { messageOf } from '../../domain/errors.ts'
import { UnreachableError } from './unreachable.ts'

export type HttpReply = { readonly status: number; readonly body: Buffer }

export type PostOptions = {
  readonly body: string | Uint8Array
  readonly contentType: string
  readonly signal: AbortSignal
}

/** Sends requests over connections that are kept open. */
export type HttpClient = {
  /** Resolves to any whole answer, whatever its status. Raises UnreachableError. */
  post(url: string, options: PostOptions): Promise<HttpReply>
}

export type HttpClientOptions = {
  /** How long a connection may take to come about, in milliseconds. */
  readonly connectMs?: number
}

/** Shorter than any server waits, so that no request meets a connection that is just being closed. */
const IDLE_MS = 1_000
const CONNECTIONS_PER_SERVER = 128

export function createHttpClient({ connectMs = 10_000 }: HttpClientOptions = {}): HttpClient {
  const dispatcher = new Agent({
    connect: { timeout: connectMs },
    connections: CONNECTIONS_PER_SERVER,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  return {
    async post(url, { body, contentType, signal }) {
      try {
        signal.throwIfAborted()
        const headers = { 'content-type': contentType }
        const asking = request(url, { method: 'POST', dispatcher, body, headers, signal })
        const reply = await orAborted(asking, signal)
        return { status: reply.statusCode, body: Buffer.from(await reply.body.arrayBuffer()) }
      } catch (error) {
        const reason = signal.aborted ? 'no answer in time' : messageOf(error)
        throw new UnreachableError(`cannot reach ${url}: ${reason}`, error)
      }
    },
  }
}

/** What comes first; undici itself heeds a signal only once it is connected, and a dead address never answers. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
