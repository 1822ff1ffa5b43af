import { LongshoreError, messageOf } from '../errors.ts'

/** A number of a JSON text as it was written: `5.0`, `1e-05` and integers of any length stay what they are. */
export class NumberText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A JSON value whose numbers are as they were written. */
export type JsonValue = string | boolean | null | NumberText | readonly JsonValue[] | JsonObject
export type JsonObject = { readonly [key: string]: JsonValue }

// The reviver's source text is of ECMAScript 2026; the type library does not know it yet.
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown
const parse = JSON.parse as (text: string, reviver: Reviver) => JsonValue

/** Parses a JSON text without loss. Raises `corrupt`. */
export function parseJsonText(text: string): JsonValue {
  try {
    return parse(text, (_, value, { source }) =>
      typeof value === 'number' ? new NumberText(source!) : value,
    )
  } catch (cause) {
    throw new LongshoreError('corrupt', `is no JSON: ${messageOf(cause)}`, { cause })
  }
}

/** Parses a JSON text that is an object. Raises `corrupt`. */
export function parseJsonObject(text: string): JsonObject {
  const value = parseJsonText(text)
  if (isObject(value)) return value
  throw new LongshoreError('corrupt', 'is no JSON object')
}

/** JSON as Python's `json.dumps` writes it, which FATE reads and writes: `", "`, `": "`, ASCII alone. */
export function renderJsonText(value: JsonValue): string {
  if (typeof value === 'string') return quote(value)
  if (value instanceof NumberText) return value.text
  if (isList(value)) return `[${value.map(renderJsonText).join(', ')}]`
  if (!isObject(value)) return String(value)
  return `{${Object.entries(value)
    .map(([key, member]) => `${quote(key)}: ${renderJsonText(member)}`)
    .join(', ')}}`
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !(value instanceof NumberText) && !Array.isArray(value)
  )
}

export function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value)
}

function quote(text: string): string {
  const asAscii = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(text).replaceAll(/[\u007f-\uffff]/g, asAscii)
}
