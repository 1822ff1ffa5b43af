import { LongshoreError } from '../errors.ts'

/** One field of a protobuf message as it stands on the wire. */
export type WireField = {
  readonly number: number
  /** Tag, length and value as they were read: what nobody rewrites keeps every byte. */
  readonly bytes: Uint8Array
  /** What a field of wire type 2 holds: a text, bytes, a message or packed numbers. Undefined for all others. */
  readonly content: Uint8Array | undefined
}

const [VARINT, FIXED_64, DELIMITED, GROUP, GROUP_END, FIXED_32] = [0, 1, 2, 3, 4, 5]
const MOST_VARINT_BYTES = 10
const MOST_TAG = 2 ** 32 - 1
/** As deep as protobuf's own readers follow groups. */
const MOST_DEPTH = 100

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/**
 * The fields of a message in their order, known and unknown ones, repeated ones as often as they stand there. Raises
 * `corrupt` for what is no protobuf message. Wire format: protobuf.dev/programming-guides/encoding.
 */
export function parseFields(bytes: Uint8Array): readonly WireField[] {
  const fields = readFields(bytes)
  if (fields) return fields
  throw new LongshoreError('corrupt', 'is no protobuf message')
}

/** As parseFields; undefined for what is no protobuf message. */
export function readFields(bytes: Uint8Array): readonly WireField[] | undefined {
  const cursor = new Cursor(bytes)
  const fields: WireField[] = []
  while (cursor.at < bytes.length) {
    const start = cursor.at
    const tag = cursor.readVarint()
    const number = Math.floor(tag / 8)
    if (!(number >= 1 && tag <= MOST_TAG)) return undefined
    const content = tag % 8 === DELIMITED ? cursor.readDelimited() : undefined
    const isWhole = tag % 8 === DELIMITED ? content !== undefined : cursor.skip(tag % 8, number, MOST_DEPTH)
    if (!isWhole) return undefined
    fields.push({ number, bytes: bytes.subarray(start, cursor.at), content })
  }
  return fields
}

/** The message of these fields: byte for byte what was parsed, where no field was replaced. */
export function renderFields(fields: readonly WireField[]): Uint8Array {
  const bytes = new Uint8Array(fields.reduce((sum, field) => sum + field.bytes.length, 0))
  let at = 0
  for (const field of fields) {
    bytes.set(field.bytes, at)
    at += field.bytes.length
  }
  return bytes
}

/** A field of wire type 2: a text, bytes or a message. */
export function createDelimited(number: number, content: Uint8Array): WireField {
  const head = [...renderVarint(8 * number + DELIMITED!), ...renderVarint(content.length)]
  const bytes = new Uint8Array(head.length + content.length)
  bytes.set(head)
  bytes.set(content, head.length)
  return { number, bytes, content }
}

/** A field of wire type 0: a number that is not negative, or true as 1. */
export function createVarint(number: number, value: number): WireField {
  const bytes = Uint8Array.from([...renderVarint(8 * number + VARINT!), ...renderVarint(value)])
  return { number, bytes, content: undefined }
}

/** Text of a field. Raises `corrupt` for what is not UTF-8. */
export function decodeText(content: Uint8Array): string {
  try {
    return decoder.decode(content)
  } catch (cause) {
    throw new LongshoreError('corrupt', 'a text in it is not UTF-8', { cause })
  }
}

/** As decodeText; undefined for what is not UTF-8. */
export function readText(content: Uint8Array): string | undefined {
  try {
    return decoder.decode(content)
  } catch {
    return undefined
  }
}

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text)
}

function renderVarint(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest % 128) + 128)
  }
}

class Cursor {
  at = 0
  private readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** NaN for one that does not end; exact up to 2 ** 53, and no length or tag is larger. */
  readVarint(): number {
    let value = 0
    for (let count = 0, scale = 1; count < MOST_VARINT_BYTES; count++, scale *= 128) {
      const byte = this.bytes[this.at++]
      if (byte === undefined) return Number.NaN
      value += (byte % 128) * scale
      if (byte < 128) return value
    }
    return Number.NaN
  }

  readDelimited(): Uint8Array | undefined {
    const length = this.readVarint()
    const start = this.at
    return this.move(length) ? this.bytes.subarray(start, this.at) : undefined
  }

  /** Steps over a value; false where it does not end within the message. */
  skip(wireType: number, number: number, depth: number): boolean {
    if (wireType === VARINT) return !Number.isNaN(this.readVarint())
    if (wireType === FIXED_64) return this.move(8)
    if (wireType === FIXED_32) return this.move(4)
    if (wireType === DELIMITED) return this.readDelimited() !== undefined
    return wireType === GROUP && depth > 0 && this.skipGroup(number, depth - 1)
  }

  private skipGroup(group: number, depth: number): boolean {
    for (;;) {
      const tag = this.readVarint()
      const number = Math.floor(tag / 8)
      if (!(number >= 1 && tag <= MOST_TAG)) return false
      if (tag % 8 === GROUP_END) return number === group
      if (!this.skip(tag % 8, number, depth)) return false
    }
  }

  private move(bytes: number): boolean {
    this.at += bytes
    return this.at <= this.bytes.length
  }
}
