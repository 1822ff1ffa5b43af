import { partitionHashes } from './partition-hashes.ts'

const WORDS = 3
/** Slots for every hash; with fewer free ones, looking for one takes longer. */
const SPARE = 1.5

/**
 * Counts 64-bit hashes in 18 bytes each, where a Set of texts would take ten times that: open addressing with linear
 * probing. A number of `expected` hashes spares it from growing.
 */
export class HashCounter {
  #slots: number
  #table: Uint32Array
  #used = 0

  constructor(expected = 0) {
    this.#slots = Math.ceil(Math.max(16, expected) * SPARE)
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
    if (before === 0 && ++this.#used * SPARE > this.#slots) this.#grow()
    return before
  }

  /** Adds hashes, two words each, and returns how many of them were there before; faster than one after the other. */
  addAll(hashes: Uint32Array): number {
    const ordered = partitionHashes(hashes, 2)
    let repeated = 0
    for (let at = 0; at < ordered.length; at += 2)
      if (this.add(ordered[at]!, ordered[at + 1]!) > 0) repeated++
    return repeated
  }

  /** How often a hash was added. */
  countOf(high: number, low: number): number {
    return this.#table[this.#find(high >>> 0, low >>> 0) + 2]!
  }

  /** The index of the slot of a hash, or of the free one where it belongs. */
  #find(high: number, low: number): number {
    const table = this.#table
    let slot = Math.floor((high / 2 ** 32) * this.#slots)
    for (;;) {
      const at = slot * WORDS
      if (table[at + 2] === 0 || (table[at] === high && table[at + 1] === low)) return at
      slot = slot + 1 === this.#slots ? 0 : slot + 1
    }
  }

  #grow(): void {
    const former = this.#table
    this.#slots *= 2
    this.#table = new Uint32Array(this.#slots * WORDS)
    for (let at = 0; at < former.length; at += WORDS) {
      if (former[at + 2] === 0) continue
      const to = this.#find(former[at]!, former[at + 1]!)
      for (let word = 0; word < WORDS; word++) this.#table[to + word] = former[at + word]!
    }
  }
}
