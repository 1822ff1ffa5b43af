import { partitionHashes } from '../../domain/partition-hashes.ts'

/** Words of an entry: upper and lower half of the hash, cluster + 1 (0: free), and a mark. */
const WORDS = 4
const SEVERAL = 0xffffffff
/** Words of a text that is noted. */
export const LISTED_WORDS = 3
/** Share of slots that may be taken. */
const LOAD = 0.75

/** What a text is looked up to be: a cluster, or why it has none. */
export type Found = number | 'unknown' | 'several' | 'repeated'

/**
 * The cluster of each text, by its 64-bit hash: 16 bytes an entry at a load of at most 3/4, no texts kept. Two texts
 * of the same hash count as one; among a million texts that happens once in 30 million inputs.
 */
export class TextTable {
  size = 0
  #entries: Uint32Array
  /** A power of two. */
  #slots: number
  /** What leaves the upper bits of a hash, which tell its slot. */
  #shift: number

  /** An empty table with room for about `expected` texts. */
  constructor(expected = 0) {
    const bits = Math.max(10, Math.ceil(Math.log2(expected / LOAD)))
    this.#slots = 2 ** bits
    this.#shift = 32 - bits
    this.#entries = new Uint32Array(this.#slots * WORDS)
  }

  /** Notes texts, three words each: upper and lower half of the hash, and the cluster that lists the text. */
  addAll(texts: Uint32Array): void {
    const ordered = partitionHashes(texts, LISTED_WORDS)
    for (let at = 0; at < ordered.length; at += LISTED_WORDS) {
      this.#add(ordered[at]!, ordered[at + 1]!, ordered[at + 2]!)
    }
  }

  /** The cluster of a text; from now on it bears `mark`, and is `repeated` where it already did. */
  find(hash: Uint32Array, mark: number): Found {
    const at = this.#find(hash[0]!, hash[1]!)
    const known = this.#entries[at + 2]!
    if (known === 0) return 'unknown'
    if (this.#entries[at + 3] === mark) return 'repeated'
    this.#entries[at + 3] = mark
    return known === SEVERAL ? 'several' : known - 1
  }

  /** The mark that a text bears. */
  markOf(hash: Uint32Array): number {
    return this.#entries[this.#find(hash[0]!, hash[1]!) + 3]!
  }

  #add(high: number, low: number, cluster: number): void {
    if (this.size >= this.#slots * LOAD) this.#grow()
    const at = this.#find(high, low)
    const known = this.#entries[at + 2]!
    if (known !== 0) {
      if (known !== cluster + 1) this.#entries[at + 2] = SEVERAL
      return
    }
    this.#entries[at] = high
    this.#entries[at + 1] = low
    this.#entries[at + 2] = cluster + 1
    this.size++
  }

  /** The index of the entry of a hash, or of the free one where it belongs. */
  #find(high: number, low: number): number {
    let slot = high >>> this.#shift
    for (;;) {
      const at = slot * WORDS
      if (this.#entries[at + 2] === 0) return at
      if (this.#entries[at + 1] === low && this.#entries[at] === high) return at
      slot = (slot + 1) & (this.#slots - 1)
    }
  }

  #grow(): void {
    const former = this.#entries
    this.#slots *= 2
    this.#shift--
    this.#entries = new Uint32Array(this.#slots * WORDS)
    for (let at = 0; at < former.length; at += WORDS) {
      if (former[at + 2] === 0) continue
      const to = this.#find(former[at]!, former[at + 1]!)
      for (let word = 0; word < WORDS; word++) this.#entries[to + word] = former[at + word]!
    }
  }
}
