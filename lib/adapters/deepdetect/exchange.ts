import { Agent, type Dispatcher, request } from 'undici'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import { hideUser } from '../http/client.ts'

/** An answer in DeepDetect's envelope, or whatever JSON came; `ddCode` where the version tells one. */
export type Exchanged = {
  readonly status: number
  readonly ddCode: number | undefined
  /** The server's own words, for the operator. */
  readonly words: string
  readonly json: Readonly<Record<string, unknown>>
}

export type Exchange = (
  method: Dispatcher.HttpMethod,
  path: string,
  options: { readonly body?: unknown; readonly signal: AbortSignal },
) => Promise<Exchanged>

/** Creating a service loads its model; that of a large one takes minutes. */
const ANSWER_MS = 10 * 60_000
const CONNECT_MS = 10_000
const MOST_QUOTED = 200

/** Sends requests to a server at an address such as `http://dede:8080`. Raises `remote` where nobody answers, or without JSON. */
export function createExchange(url: string): Exchange {
  const dispatcher = new Agent({
    connect: { timeout: CONNECT_MS },
    ...{ keepAliveTimeout: 1_000, keepAliveMaxTimeout: 1_000 },
    ...{ headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS },
  })
  return async (method, path, { body, signal }) => {
    const address = `${url.replace(/\/+$/, '')}${path}`
    const fail = (problem: string, cause?: unknown) =>
      new LongshoreError('remote', `${hideUser(address)}: ${problem}`, {
        hint: 'see whether a server with the API of DeepDetect answers there',
        cause,
      })
    try {
      signal.throwIfAborted()
      const headers = body === undefined ? {} : { 'content-type': 'application/json' }
      const reply = await request(address, {
        ...{ method, headers, signal, dispatcher },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      const text = await reply.body.text()
      return readAnswer(reply.statusCode, text, fail)
    } catch (error) {
      signal.throwIfAborted()
      throw error instanceof LongshoreError ? error : fail(messageOf(error), error)
    }
  }
}

function readAnswer(
  status: number,
  text: string,
  fail: (problem: string, cause?: unknown) => LongshoreError,
): Exchanged {
  try {
    const json: unknown = JSON.parse(text)
    if (isObject(json)) return { status, json, ...readStatus(status, json) }
  } catch (error) {
    throw fail(`HTTP ${status} without JSON: ${text.slice(0, MOST_QUOTED)}`, error)
  }
  throw fail(`HTTP ${status} without an object: ${text.slice(0, MOST_QUOTED)}`)
}

/** `status` is an object in most answers, a number in some versions' predictions, and missing in some versions' /info. */
function readStatus(status: number, json: Record<string, unknown>): Pick<Exchanged, 'ddCode' | 'words'> {
  const told = isObject(json.status) ? json.status : {}
  const { msg, dd_code: ddCode, dd_msg: details } = told
  const words = [msg, ddCode, details].filter((part) => part !== undefined).join(' ')
  return {
    ddCode: typeof ddCode === 'number' ? ddCode : undefined,
    words: words === '' ? `HTTP ${status}` : words,
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
