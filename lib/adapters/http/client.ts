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

/** Shorter than any server waits, so that no request meets a connection that is just being closed. */
const IDLE_MS = 1_000
const CONNECTIONS_PER_SERVER = 128

export function createHttpClient(): HttpClient {
  const dispatcher = new Agent({
    connections: CONNECTIONS_PER_SERVER,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  return {
    async post(url, { body, contentType, signal }) {
      try {
        const headers = { 'content-type': contentType }
        const reply = await request(url, { method: 'POST', dispatcher, body, headers, signal })
        return { status: reply.statusCode, body: Buffer.from(await reply.body.arrayBuffer()) }
      } catch (error) {
        const reason = signal.aborted ? 'no answer in time' : messageOf(error)
        throw new UnreachableError(`cannot reach ${url}: ${reason}`, error)
      }
    },
  }
}
