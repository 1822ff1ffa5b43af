import type { Agent, Dispatcher } from 'undici'
import { LongshoreError, messageOf } from '../../domain/errors.ts'

/** Makes a dispatcher when it is first needed: many commands ask nothing, and undici brings a hundred modules. */
type LazyDispatcher = () => Promise<Dispatcher>

const NETWORK = createDispatcher({})

export type JsonRequest = {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE'
  readonly body?: unknown
  /** Where not over the network; see {@link createSocketDispatcher}. */
  readonly dispatcher?: LazyDispatcher
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

export type JsonReply = { readonly status: number; readonly body: unknown }

/** The reply to one HTTP request, with its JSON or, where it is none, its text. Raises what undici raises. */
export async function requestJson(url: string, options: JsonRequest): Promise<JsonReply> {
  const { method = 'GET', body, dispatcher = NETWORK, timeoutMs, signal } = options
  const { request } = await import('undici')
  const timeout = AbortSignal.timeout(timeoutMs)
  const reply = await request(url, {
    method,
    dispatcher: await dispatcher(),
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    ...(body !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  })
  const text = await reply.body.text()
  return { status: reply.statusCode, body: parse(text) }
}

/** Leads requests to a Unix socket, whatever host their URL names. */
export function createSocketDispatcher(socketPath: string): LazyDispatcher {
  return createDispatcher({ connect: { socketPath } })
}

/** What a service says about itself in a reply that is an error: `{"error":{"code","message"}}`. */
export function readError({ status, body }: JsonReply): { readonly code: string; readonly message: string } {
  const { error } = (body ?? {}) as { error?: { code?: unknown; message?: unknown } }
  const message = typeof error?.message === 'string' ? error.message : `answers ${status}`
  return { code: typeof error?.code === 'string' ? error.code : '', message }
}

/** Raises the interruption as it is, anything else as `remote`. */
export function raiseRemote(what: string, error: unknown, signal: AbortSignal): never {
  signal.throwIfAborted()
  throw new LongshoreError('remote', `${what}: ${messageOf(error)}`, { cause: error })
}

// Without keep-alive: what is asked may be about to end, and nothing shall keep the asking process running.
function createDispatcher(options: Agent.Options): LazyDispatcher {
  let dispatcher: Dispatcher | undefined
  return async () => {
    const { Agent } = await import('undici')
    dispatcher ??= new Agent({ pipelining: 0, ...options })
    return dispatcher
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
