import { isUtf8 } from 'node:buffer'
import type { SourceItem, TextItems } from '../../ports/input.ts'

/** Bytes that texts usually take; only the first size of the memory depends on it. */
const USUAL_TEXT = 128

/** A text in UTF-8, bytes[start, end), with its 64-bit hash of two words. */
export type HashedText = {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly hash: Uint32Array
}

/** Collects the texts of a batch as bytes, in memory that the next batch uses again. */
export class TextColumn {
  length = 0
  #bytes: Buffer
  readonly #ends: Uint32Array
  readonly #hashes: Uint32Array
  readonly #areDistinct: boolean
  #end = 0
  /** Whether a text begins inside a character: then the whole may be valid UTF-8 where single texts are not. */
  #isTorn = false

  /** A column for at most `capacity` texts, of an input that gives none twice if `areDistinct`. */
  constructor(capacity: number, areDistinct: boolean) {
    this.#areDistinct = areDistinct
    this.#bytes = Buffer.allocUnsafeSlow(capacity * USUAL_TEXT)
    this.#ends = new Uint32Array(capacity)
    this.#hashes = new Uint32Array(capacity * 2)
  }

  add({ bytes, start, end, hash }: HashedText): void {
    const to = this.#end + end - start
    if (to > this.#bytes.length) this.#grow(to)
    bytes.copy(this.#bytes, this.#end, start, end)
    if (start < end && (bytes[start]! & 0xc0) === 0x80) this.#isTorn = true
    this.#hashes[this.length * 2] = hash[0]!
    this.#hashes[this.length * 2 + 1] = hash[1]!
    this.#ends[this.length++] = to
    this.#end = to
  }

  /** The texts so far, and begins anew. Where bytes are no UTF-8, they come as objects with what can be read. */
  take(): TextItems | SourceItem[] {
    const length = this.length
    const bytes = this.#bytes.subarray(0, this.#end)
    const ends = this.#ends.subarray(0, length)
    const isValid = !this.#isTorn && isUtf8(bytes)
    this.length = 0
    this.#end = 0
    this.#isTorn = false
    if (isValid) {
      const hashes = this.#hashes.subarray(0, 2 * length)
      return { length, bytes, ends, hashes, areDistinct: this.#areDistinct }
    }
    return Array.from(ends, (end, index) => ({ text: bytes.toString('utf8', ends[index - 1] ?? 0, end) }))
  }

  #grow(needed: number): void {
    const former = this.#bytes
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(needed, 2 * former.length))
    former.copy(this.#bytes, 0, 0, this.#end)
  }
}
