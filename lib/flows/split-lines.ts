import type { ItemLines } from '../ports/generation-writer.ts'
import type { SourceItem } from '../ports/input.ts'

const encoder = new TextEncoder()
/** Bytes that UTF-8 needs at most for one UTF-16 unit. */
const MOST_BYTES = 3

/** Collects lines of items.jsonl as bytes. */
export class LineBuilder {
  #bytes = new Uint8Array(64 * 1024)
  #end = 0
  #lineEnds: number[] = []

  /** Adds an item as JSON: id, then text, then what else it carries. */
  addItem(id: string, { id: _id, text, ...rest }: SourceItem): void {
    const json = `${JSON.stringify({ id, text, ...rest })}\n`
    this.#reserve(json.length * MOST_BYTES)
    this.#end += encoder.encodeInto(json, this.#bytes.subarray(this.#end)).written
    this.#lineEnds.push(this.#end)
  }

  /** The lines so far, and begins anew. */
  take(): ItemLines {
    const taken = { lines: this.#bytes.slice(0, this.#end), lineEnds: new Uint32Array(this.#lineEnds) }
    this.#end = 0
    this.#lineEnds = []
    return taken
  }

  #reserve(more: number): void {
    const needed = this.#end + more
    if (needed <= this.#bytes.length) return
    const former = this.#bytes
    this.#bytes = new Uint8Array(Math.max(needed, 2 * former.length))
    this.#bytes.set(former.subarray(0, this.#end))
  }
}
