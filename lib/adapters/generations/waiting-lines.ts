import { ID_LENGTH, writeIdOfHash } from '../../domain/text-hash.ts'
import type { ItemLines, NamedTexts } from '../../ports/generation-writer.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const [HEAD, MIDDLE, TAIL] = ['{"id":"', '","text":"', '"}\n'].map((part) => encoder.encode(part)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
]
const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
/** Bytes of a line besides its text: more than the parts above, an id and its number take. */
const FRAME_BYTES = 64 + ID_LENGTH
/** Bytes that JSON needs at most for one of UTF-8. */
const MOST_ESCAPED = 6
/** Bytes that lines usually take; only the first size of the memory depends on it. */
const USUAL_LINE = 256

/** Lines of items.jsonl that wait to be written, in memory that is used again. */
export class WaitingLines {
  count = 0
  #bytes: Buffer
  readonly #ends: Uint32Array
  #end = 0

  /** Room for at most `capacity` lines. */
  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity * USUAL_LINE)
    this.#ends = new Uint32Array(capacity)
  }

  /** Adds one of many items. */
  add(items: ItemLines | NamedTexts, index: number): void {
    if ('lines' in items) this.#addLine(items, index)
    else this.#addText(items, index)
    this.#ends[this.count++] = this.#end
  }

  /** Where a line begins among the bytes of all. */
  startOf(line: number): number {
    return line === 0 ? 0 : this.#ends[line - 1]!
  }

  /** The lines from `first` to before `last`; valid until the next `add`. */
  bytesOf(first: number, last: number): Buffer {
    return this.#bytes.subarray(this.startOf(first), this.startOf(last))
  }

  clear(): void {
    this.count = 0
    this.#end = 0
  }

  #addLine({ lines, lineEnds }: ItemLines, index: number): void {
    const line = lines.subarray(lineEnds[index - 1] ?? 0, lineEnds[index])
    this.#reserve(line.length)
    this.#bytes.set(line, this.#end)
    this.#end += line.length
  }

  #addText({ bytes, ends, hashes, repetitions }: NamedTexts, index: number): void {
    const start = ends[index - 1] ?? 0
    const end = ends[index]!
    this.#reserve(FRAME_BYTES + (end - start) * MOST_ESCAPED)
    const id = put(HEAD, this.#bytes, this.#end)
    writeIdOfHash(hashes[2 * index]!, hashes[2 * index + 1]!, this.#bytes, id)
    this.#end = id + ID_LENGTH
    const repetition = repetitions[index]!
    if (repetition > 0) this.#putString(`-${repetition}`)
    this.#end = put(MIDDLE, this.#bytes, this.#end)
    this.#putText(bytes, start, end)
    this.#end = put(TAIL, this.#bytes, this.#end)
  }

  /** Copies a text of valid UTF-8, which is JSON already where it holds nothing that JSON escapes. */
  #putText(from: Uint8Array, start: number, end: number): void {
    const to = this.#bytes
    let at = this.#end
    for (let index = start; index < end; index++) {
      const byte = from[index]!
      if (byte < SPACE || byte === QUOTE || byte === BACKSLASH) {
        const json = JSON.stringify(decoder.decode(from.subarray(start, end)))
        this.#putString(json.slice(1, -1))
        return
      }
      to[at++] = byte
    }
    this.#end = at
  }

  #putString(text: string): void {
    this.#end += encoder.encodeInto(text, this.#bytes.subarray(this.#end)).written
  }

  #reserve(more: number): void {
    const needed = this.#end + more
    if (needed <= this.#bytes.length) return
    const former = this.#bytes
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(needed, 2 * former.length))
    former.copy(this.#bytes, 0, 0, this.#end)
  }
}

/** Copies a few bytes to bytes[at ..], and returns where they end; for so few, a loop is faster than `set`. */
function put(part: Uint8Array, bytes: Uint8Array, at: number): number {
  for (let index = 0; index < part.length; index++) bytes[at + index] = part[index]!
  return at + part.length
}
