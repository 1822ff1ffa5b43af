import type { FileWindow } from './file-window.ts'
import type { Payload } from './pickle-values.ts'

const MOST_TEXT = 64 * 1024 * 1024
const MOST_LINE = 16 * 1024 * 1024

/** Reads the arguments of opcodes, one after the other. Raises `corrupt` naming the byte where the file is damaged. */
export class PickleBytes {
  position: number
  readonly window: FileWindow

  constructor(window: FileWindow, position: number) {
    this.window = window
    this.position = position
  }

  /** The next byte, without moving on; undefined at the end of the file. */
  peek(): number | undefined {
    if (this.position >= this.window.size) return undefined
    return this.window.bytes[this.window.locate(this.position, 1)]
  }

  readUint(width: 1 | 2 | 4): number {
    return this.window.bytes.readUIntLE(this.#take(width), width)
  }

  readInt32(): number {
    return this.window.bytes.readInt32LE(this.#take(4))
  }

  readFloat64(): number {
    return this.window.bytes.readDoubleBE(this.#take(8))
  }

  readUint64(): number {
    const value = Number(this.window.bytes.readBigUInt64LE(this.#take(8)))
    if (value > this.window.size && value > Number.MAX_SAFE_INTEGER) this.fail('expected a length')
    return value
  }

  /** A whole number of `length` bytes in two's complement, as Python's longs are written. */
  readLong(length: number): number {
    if (length === 0) return 0
    if (length > 8) this.fail(`a whole number of ${length} bytes is too large`)
    const at = this.#take(length)
    let value = BigInt(this.window.bytes.readInt8(at + length - 1))
    for (let index = length - 2; index >= 0; index--) {
      value = value * 256n + BigInt(this.window.bytes[at + index]!)
    }
    return Number(value)
  }

  readText(length: number, encoding: 'utf8' | 'latin1' = 'utf8'): string {
    if (length > MOST_TEXT) this.fail(`a text of ${length} bytes is too long`)
    const at = this.#take(length)
    return this.window.bytes.toString(encoding, at, at + length)
  }

  /** The place of `length` bytes, which are passed over unread. */
  skipPayload(length: number): Payload {
    const offset = this.position
    if (offset + length > this.window.size) this.fail(`ends too early: ${length} bytes expected`)
    this.position = offset + length
    return { kind: 'bytes', offset, length }
  }

  /** The text up to the next line feed, as protocol 0 writes its arguments. */
  readLine(): string {
    for (let length = 256; ; length *= 4) {
      const available = Math.min(length, this.window.size - this.position)
      const at = this.window.locate(this.position, available)
      const end = this.window.bytes.subarray(at, at + available).indexOf(0x0a)
      if (end >= 0) {
        this.position += end + 1
        return this.window.bytes.toString('latin1', at, at + end)
      }
      if (available < length || length > MOST_LINE) this.fail('a line without an end')
    }
  }

  fail(what: string): never {
    this.window.fail(this.position, what)
  }

  #take(length: number): number {
    const at = this.window.locate(this.position, length)
    this.position += length
    return at
  }
}
