import { ID_LENGTH, writeIdOfHash } from '../domain/text-hash.ts'
import type { PreparedRows } from '../ports/generation-writer.ts'
import type { SourceItem, TextItems } from '../ports/input.ts'

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
/** Bytes that JSON needs at most for one of UTF-8, or for one UTF-16 unit of a string. */
const MOST_ESCAPED = 6

/** Collects lines of items.jsonl as bytes. */
export class LineBuilder {
  #bytes = new Uint8Array(64 * 1024)
  #end = 0
  #lineEnds: number[] = []

  /** Adds an item as JSON: id, then text, then what else it carries. */
  addItem(id: string, { id: _id, text, ...rest }: SourceItem): void {
    const json = `${JSON.stringify({ id, text, ...rest })}\n`
    this.#reserve(json.length * MOST_ESCAPED)
    this.#putString(json)
    this.#lineEnds.push(this.#end)
  }

  /** Adds an item with nothing but a text, which `repetition` items before it have too; its id is made of the text's hash. */
  addText({ bytes, ends, hashes }: TextItems, index: number, repetition: number): void {
    const start = ends[index - 1] ?? 0
    const end = ends[index]!
    this.#reserve(FRAME_BYTES + (end - start) * MOST_ESCAPED)
    const id = put(HEAD, this.#bytes, this.#end)
    writeIdOfHash(hashes[2 * index]!, hashes[2 * index + 1]!, this.#bytes, id)
    this.#end = id + ID_LENGTH
    if (repetition > 0) this.#putString(`-${repetition}`)
    this.#end = put(MIDDLE, this.#bytes, this.#end)
    this.#putText(bytes, start, end)
    this.#end = put(TAIL, this.#bytes, this.#end)
    this.#lineEnds.push(this.#end)
  }

  /** The lines so far, and begins anew. */
  take(): Pick<PreparedRows, 'lines' | 'lineEnds'> {
    const taken = { lines: this.#bytes.slice(0, this.#end), lineEnds: new Uint32Array(this.#lineEnds) }
    this.#end = 0
    this.#lineEnds = []
    return taken
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
    this.#bytes = new Uint8Array(Math.max(needed, 2 * former.length))
    this.#bytes.set(former.subarray(0, this.#end))
  }
}

/** Copies a few bytes to bytes[at ..], and returns where they end; for so few, a loop is faster than `set`. */
function put(part: Uint8Array, bytes: Uint8Array, at: number): number {
  for (let index = 0; index < part.length; index++) bytes[at + index] = part[index]!
  return at + part.length
}
