import type { IncomingHttpHeaders } from 'node:http'
import { Agent, type Dispatcher, request } from 'undici'
import { hasCode } from '../../lib/adapters/files/durable-files.ts'

/** A request on its way through the router. */
export type PassedRequest = {
  readonly method: string
  readonly headers: IncomingHttpHeaders
}

export type BackendAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  readonly tookMs: number
}

export type BackendRequest = PassedRequest & {
  readonly url: string
  readonly path: string
  readonly body: Buffer | undefined
}

/** Sends requests to backends over connections that are kept open. */
export type BackendClient = {
  /** Resolves to any whole answer, whatever its status. Raises where there is none in time. */
  ask(asked: BackendRequest): Promise<BackendAnswer>
  close(): Promise<void>
}

/** What is said of one connection, not of the request. Source: RFC 9110, 7.6.1. */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['host', 'content-length', 'expect'],
])
const CONNECT_MS = 2_000
/** Below what servers keep idle connections for, so that hardly a request meets one that is being closed. */
const IDLE_MS = 1_000
const MOST_ANSWER = 64 << 20

export function createBackendClient(timeoutMs: number): BackendClient {
  const dispatcher = new Agent({
    connect: { timeout: Math.min(CONNECT_MS, timeoutMs) },
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: MOST_ANSWER,
  })
  return {
    async ask({ url, path, method, headers, body }) {
      const start = performance.now()
      const reply = await request(`${url}${path}`, {
        dispatcher,
        method: method as Dispatcher.HttpMethod,
        headers: withoutConnection(headers) as Record<string, string | string[]>,
        ...(body !== undefined && { body }),
      })
      const answer = Buffer.from(await reply.body.arrayBuffer())
      return {
        status: reply.statusCode,
        headers: withoutConnection(reply.headers),
        body: answer,
        tookMs: performance.now() - start,
      }
    },
    close: () => dispatcher.destroy(),
  }
}

/** Whether nobody listens there at all, or nobody answers in time. */
export function isGone(error: unknown): boolean {
  return hasCode(
    error,
    ...['ECONNREFUSED', 'EHOSTUNREACH', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT'],
    ...['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'],
  )
}

/** Whether a connection was closed, maybe one that had been idle: that says nothing of the server yet. */
export function isClosed(error: unknown): boolean {
  return hasCode(error, 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET')
}

function withoutConnection(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !CONNECTION_HEADERS.has(name)))
}
