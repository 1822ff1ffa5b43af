import { Agent, request } from 'undici'
import { messageOf } from '../../domain/errors.ts'
import { UnreachableError } from './unreachable.ts'

export type HttpReply = { readonly status: number; readonly body: Buffer }

/** A reply with its head; names are in lower case. */
export type HttpAnswer = HttpReply & {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

export type GetOptions = {
  readonly headers?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

export type PostOptions = GetOptions & {
  readonly body: string | Uint8Array
  readonly contentType: string
}

/** Sends requests over connections that are kept open. */
export type HttpClient = {
  /** Resolves to any whole answer, whatever its status. Raises UnreachableError. */
  post(url: string, options: PostOptions): Promise<HttpReply>
}

/** As HttpClient, for those who read more than bodies. */
export type HttpConnections = {
  /** Resolves to any whole answer, whatever its status. Raises UnreachableError. */
  get(url: string, options: GetOptions): Promise<HttpAnswer>
  /** Resolves to any whole answer, whatever its status. Raises UnreachableError. */
  post(url: string, options: PostOptions): Promise<HttpAnswer>
  /** Cuts every connection; requests that are under way fail. */
  close(): Promise<void>
}

export type HttpClientOptions = {
  /** How long a connection may take to come about, in milliseconds. */
  readonly connectMs?: number
  /** The most connections to one server. */
  readonly connections?: number
  /** The most bytes of an answer: a longer one is as none. */
  readonly mostBytes?: number
}

/** Shorter than any server waits, so that no request meets a connection that is just being closed. */
const IDLE_MS = 1_000
const CONNECTIONS_PER_SERVER = 128

export function createHttpClient({
  connectMs = 10_000,
  connections = CONNECTIONS_PER_SERVER,
  mostBytes = -1,
}: HttpClientOptions = {}): HttpConnections {
  const dispatcher = new Agent({
    connect: { timeout: connectMs },
    connections,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: mostBytes,
  })
  const ask = async (url: string, signal: AbortSignal, options: object): Promise<HttpAnswer> => {
    try {
      signal.throwIfAborted()
      const reply = await orAborted(request(url, { ...options, dispatcher, signal }), signal)
      const body = Buffer.from(await reply.body.arrayBuffer())
      return { status: reply.statusCode, headers: reply.headers, body }
    } catch (error) {
      const reason = signal.aborted ? 'no answer in time' : messageOf(error)
      throw new UnreachableError(`cannot reach ${hideUser(url)}: ${reason}`, error)
    }
  }
  return {
    get: (url, { headers, signal }) => ask(url, signal, { method: 'GET', headers }),
    post: (url, { body, contentType, headers, signal }) =>
      ask(url, signal, { method: 'POST', body, headers: { ...headers, 'content-type': contentType } }),
    close: () => dispatcher.destroy(),
  }
}

/** An address as it may be shown: without a user and a password that stand in it. */
export function hideUser(url: string): string {
  return url.replace(/^(\w+:\/\/)[^/@]*@/, '$1')
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
