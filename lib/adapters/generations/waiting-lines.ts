/** Bytes that lines usually take; only the first size of the memory depends on it. */
const USUAL_LINE = 256

/** Lines of items.jsonl that wait to be written, in memory that is used again. */
export class WaitingLines {
  count = 0
  #bytes: Buffer
  readonly #ends: Uint32Array

  /** Room for at most `capacity` lines. */
  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity * USUAL_LINE)
    this.#ends = new Uint32Array(capacity)
  }

  /** Adds the line in bytes[start, end). */
  add(bytes: Buffer, start: number, end: number): void {
    const at = this.startOf(this.count)
    const to = at + end - start
    if (to > this.#bytes.length) this.#grow(to, at)
    bytes.copy(this.#bytes, at, start, end)
    this.#ends[this.count++] = to
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
  }

  #grow(needed: number, used: number): void {
    const former = this.#bytes
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(needed, 2 * former.length))
    former.copy(this.#bytes, 0, 0, used)
  }
}
