const WORDS = 3

/**
 * Counts 64-bit hashes in 12 bytes a slot, where a Set of texts would take ten times that: open addressing with linear
 * probing, at most half full. A number of `expected` hashes spares it from growing.
 */
export class HashCounter {
  #slots: number
  #table: Uint32Array
  #used = 0

  constructor(expected = 0) {
    this.#slots = 2 ** Math.ceil(Math.log2(Math.max(16, expected * 2)))
    this.#table = new Uint32Array(this.#slots * WORDS)
  }

  /** Adds a hash, and returns how often it was there before. */
  add(high: number, low: number): number {
    const at = this.#find(high >>> 0, low >>> 0)
    const table = this.#table
    const before = table[at + 2]!
    table[at] = high
    table[at + 1] = low
    table[at + 2] = before + 1
    if (before === 0 && ++this.#used * 2 > this.#slots) this.#grow()
    return before
  }

  /** The index of the slot of a hash, or of the free one where it belongs. */
  #find(high: number, low: number): number {
    const table = this.#table
    let slot = (low ^ (high >>> 7)) & (this.#slots - 1)
    for (;;) {
      const at = slot * WORDS
      if (table[at + 2] === 0 || (table[at] === high && table[at + 1] === low)) return at
      slot = (slot + 1) & (this.#slots - 1)
    }
  }

  #grow(): void {
    const former = this.#table
    this.#slots *= 2
    this.#table = new Uint32Array(this.#slots * WORDS)
    for (let at = 0; at < former.length; at += WORDS) {
      if (former[at + 2] === 0) continue
      this.#table.set(former.subarray(at, at + WORDS), this.#find(former[at]!, former[at + 1]!))
    }
  }
}
