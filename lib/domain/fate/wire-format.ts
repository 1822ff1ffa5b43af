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
/** What a message is given room for before it is known to be longer. */
const LEAST_BYTES = 64

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/**
 * The fields of a message one after the other, known and unknown ones, repeated ones as often as they stand there: a message
 * of millions takes no more memory than its bytes. Raises `corrupt` for what is no protobuf message, maybe after some fields.
 * Wire format: protobuf.dev/programming-guides/encoding.
 */
export function* eachField(bytes: Uint8Array): Generator<WireField, void> {
  const cursor = new Cursor(bytes)
  while (cursor.at < bytes.length) {
    const start = cursor.at
    const number = cursor.skipField()
    if (number === undefined) throw new LongshoreError('corrupt', 'is no protobuf message')
    const content = cursor.contentAt < 0 ? undefined : bytes.subarray(cursor.contentAt, cursor.at)
    yield { number, bytes: bytes.subarray(start, cursor.at), content }
  }
}

/** Whether bytes are a whole message. */
export function isMessage(bytes: Uint8Array): boolean {
  const cursor = new Cursor(bytes)
  while (cursor.at < bytes.length) if (cursor.skipField() === undefined) return false
  return true
}

/** All fields at once, for messages of a few. Raises `corrupt` for what is no protobuf message. */
export function parseFields(bytes: Uint8Array): readonly WireField[] {
  return [...eachField(bytes)]
}

/** The message of these fields: byte for byte what was parsed, where no field was replaced. */
export function renderFields(fields: Iterable<WireField>): Uint8Array {
  let bytes = new Uint8Array(LEAST_BYTES)
  let length = 0
  for (const field of fields) {
    const end = length + field.bytes.length
    if (end > bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * bytes.length))
      larger.set(bytes)
      bytes = larger
    }
    bytes.set(field.bytes, length)
    length = end
  }
  return bytes.subarray(0, length)
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
  /** Where the content of the last field begins; -1 where it has none. */
  contentAt = -1
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

  /** Steps over a whole field and tells its number; undefined for what is none. */
  skipField(): number | undefined {
    const tag = this.readVarint()
    const number = Math.floor(tag / 8)
    if (!(number >= 1 && tag <= MOST_TAG)) return undefined
    this.contentAt = -1
    return this.skip(tag % 8, number, MOST_DEPTH) ? number : undefined
  }

  /** Steps over a value; false where it does not end within the message. */
  skip(wireType: number, number: number, depth: number): boolean {
    if (wireType === VARINT) return !Number.isNaN(this.readVarint())
    if (wireType === FIXED_64) return this.move(8)
    if (wireType === FIXED_32) return this.move(4)
    if (wireType === DELIMITED) return this.skipDelimited(depth === MOST_DEPTH)
    return wireType === GROUP && depth > 0 && this.skipGroup(number, depth - 1)
  }

  private skipDelimited(isOutside: boolean): boolean {
    const length = this.readVarint()
    if (isOutside) this.contentAt = this.at
    return this.move(length)
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
