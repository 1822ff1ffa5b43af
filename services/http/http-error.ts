import type { FastifyError } from 'fastify'
import { messageOf } from '../../lib/domain/errors.ts'

/** An answer other than 200; `more` stands beside `error` in the body. */
export class HttpError extends Error {
  readonly status: number
  readonly code: string
  readonly more: Readonly<Record<string, unknown>>

  constructor(status: number, code: string, message: string, more: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.status = status
    this.code = code
    this.more = more
  }
}

export function badRequest(message: string): HttpError {
  return new HttpError(400, 'bad_request', message)
}

const CODES: Readonly<Record<number, string>> = {
  400: 'bad_request',
  404: 'not_found',
  413: 'too_large',
  415: 'unsupported_media_type',
}

/** What a client is told about anything that was thrown: our own words, those of the HTTP library, or an accident. */
export function describeFailure(error: unknown): HttpError {
  if (error instanceof HttpError) return error
  const status = (error as FastifyError).statusCode ?? 500
  return new HttpError(status, CODES[status] ?? (status < 500 ? 'bad_request' : 'internal'), messageOf(error))
}
