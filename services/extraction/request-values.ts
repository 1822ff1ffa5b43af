import type { Value } from '../../lib/adapters/models/codec.ts'
import { badRequest } from '../http/http-error.ts'
import type { Embedding } from './embedding.ts'

export type Takes = Embedding['takes']

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/** What stands in base64, as text or as it is. Raises HttpError 400. */
export function decodeBase64(value: unknown, takes: Takes, where: string): Value {
  if (typeof value !== 'string' || !BASE64.test(value)) throw badRequest(`${where}: expected base64`)
  const bytes = Buffer.from(value, 'base64')
  return takes === 'text' ? bytes.toString('utf8') : new Uint8Array(bytes)
}

/** Whether a request asks for texts to be cut where they are too long. Raises HttpError 400. */
export function parseTruncate(value: unknown, where: string): boolean {
  if (value === undefined || typeof value === 'boolean') return value === true
  throw badRequest(`${where}: expected true or false`)
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
