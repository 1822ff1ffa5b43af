import { HttpError } from '../http/http-error.ts'

/** HTTP status and words of DeepDetect's own codes. Source: jolibrain/deepdetect, src/http/app_component and src/jsonapi.cc. */
const CODES = {
  1000: [404, 'Unknown Library'],
  1002: [404, 'Service Not Found'],
  1005: [400, 'Service Input Error'],
  1006: [400, 'Service Bad Request Error'],
  1007: [500, 'Internal ML Library Error'],
  1014: [409, 'Service already exists'],
} as const

/** The word for a status in the envelope. */
const WORDS: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  400: 'BadRequest',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  500: 'InternalError',
}

/** A failure as DeepDetect tells it: one of its codes with the reason, or a status alone. */
export class DeepdetectError extends Error {
  readonly status: number
  readonly ddCode: number | undefined

  constructor(code: keyof typeof CODES | 400 | 403 | 404, reason?: string) {
    const [status, words] = code < 1000 ? [code] : CODES[code as keyof typeof CODES]
    super(reason === undefined ? words : `${words}: ${reason}`)
    this.status = status
    this.ddCode = code > 999 ? code : undefined
  }
}

/** The envelope of an answer that has a status alone: `{"status":{"code":201,"msg":"Created"}}`. */
export function renderStatus(code: number): { readonly code: number; readonly msg: string } {
  return { code, msg: WORDS[code] ?? 'InternalError' }
}

/** Any failure in DeepDetect's envelope; what the embedding refuses is its 1005, what it cannot do now its 1007. */
export function renderFailure(error: unknown): { readonly status: number; readonly body: object } {
  const told = error instanceof DeepdetectError ? error : explain(error)
  const { status, ddCode, message } = told
  const details = ddCode === undefined ? {} : { dd_code: ddCode, dd_msg: message }
  return { status, body: { status: { ...renderStatus(status), ...details } } }
}

function explain(error: unknown): DeepdetectError {
  const message = error instanceof Error ? error.message : String(error)
  const status = error instanceof HttpError ? error.status : (error as { statusCode?: number }).statusCode
  if (status === undefined || status >= 500) return new DeepdetectError(1007, message)
  return new DeepdetectError(1005, message)
}
