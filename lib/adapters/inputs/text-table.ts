/** Words of an entry: upper and lower half of the hash, cluster + 1 (0: free), and a mark. */
const WORDS = 4
const SEVERAL = 0xffffffff

/** What a text is looked up to be: a cluster, or why it has none. */
export type Found = number | 'unknown' | 'several' | 'repeated'

/**
 * The cluster of each text, by its 64-bit hash: 16 bytes an entry at a load of at most 3/4, no texts kept. Two texts
 * of the same hash count as one; among a million texts that happens once in 30 million inputs.
 */
export class TextTable {
  size = 0
  #entries: Uint32Array
  #mask: number

  /** An empty table with room for about `expected` texts. */
  constructor(expected = 0) {
    const slots = 2 ** Math.max(10, Math.ceil(Math.log2(expected / 0.75)))
    this.#entries = new Uint32Array(slots * WORDS)
    this.#mask = slots - 1
  }

  /** Notes that a text is of a cluster; false where it was already known. */
  add(hash: Uint32Array, cluster: number): boolean {
    if (this.size >= (this.#mask + 1) * 0.75) this.#grow()
    const at = this.#find(hash[0]!, hash[1]!)
    const known = this.#entries[at + 2]!
    if (known !== 0) {
      if (known !== cluster + 1) this.#entries[at + 2] = SEVERAL
      return false
    }
    this.#entries[at] = hash[0]!
    this.#entries[at + 1] = hash[1]!
    this.#entries[at + 2] = cluster + 1
    this.size++
    return true
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

  /** The index of the entry of a hash, or of the free one where it belongs. */
  #find(high: number, low: number): number {
    let slot = low & this.#mask
    for (;;) {
      const at = slot * WORDS
      if (this.#entries[at + 2] === 0) return at
      if (this.#entries[at + 1] === low && this.#entries[at] === high) return at
      slot = (slot + 1) & this.#mask
    }
  }

  #grow(): void {
    const former = this.#entries
    this.#mask = this.#mask * 2 + 1
    this.#entries = new Uint32Array((this.#mask + 1) * WORDS)
    for (let at = 0; at < former.length; at += WORDS) {
      if (former[at + 2] === 0) continue
      this.#entries.set(former.subarray(at, at + WORDS), this.#find(former[at]!, former[at + 1]!))
    }
  }
}
