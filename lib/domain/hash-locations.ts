/** Words of a slot: three of the hash, and the location plus one (0: free). */
const WORDS = 4
/** Slots for every hash; with fewer free ones, looking for one takes longer. */
const SPARE = 1.5
const MOST = 2 ** 32 - 2

/**
 * Where each of many sha-256 hashes is, in 24 bytes each: open addressing with linear probing. Hashes are told apart by
 * their first 96 bits, which two of 10^12 contents share with a chance of 10^-5; readers compare the rest.
 */
export class HashLocations {
  #slots: number
  #table: Uint32Array
  #size = 0

  constructor(expected = 0) {
    this.#slots = Math.ceil(Math.max(16, expected) * SPARE)
    this.#table = new Uint32Array(this.#slots * WORDS)
  }

  get size(): number {
    return this.#size
  }

  /** The location of the hash that begins at `at`; -1 where it has none. */
  find(hashes: Uint8Array, at = 0): number {
    return this.#table[this.#slotOf(wordsAt(hashes, at)) + 3]! - 1
  }

  /** Gives a hash a location, 0..2^32-2, unless it has one. Raises RangeError. */
  add(hashes: Uint8Array, at: number, location: number): void {
    if (location > MOST) throw new RangeError(`location ${location}: expected at most ${MOST}`)
    const words = wordsAt(hashes, at)
    const slot = this.#slotOf(words)
    if (this.#table[slot + 3] !== 0) return
    this.#table.set(words, slot)
    this.#table[slot + 3] = location + 1
    if (++this.#size * SPARE > this.#slots) this.#grow()
  }

  /** The index of the slot of a hash, or of the free one where it belongs. */
  #slotOf([first, second, third]: Words): number {
    const table = this.#table
    let slot = Math.floor((first / 2 ** 32) * this.#slots)
    for (;;) {
      const at = slot * WORDS
      if (table[at + 3] === 0) return at
      if (table[at] === first && table[at + 1] === second && table[at + 2] === third) return at
      slot = slot + 1 === this.#slots ? 0 : slot + 1
    }
  }

  #grow(): void {
    const former = this.#table
    this.#slots *= 2
    this.#table = new Uint32Array(this.#slots * WORDS)
    for (let at = 0; at < former.length; at += WORDS) {
      if (former[at + 3] === 0) continue
      const slot = this.#slotOf([former[at]!, former[at + 1]!, former[at + 2]!])
      this.#table.set(former.subarray(at, at + WORDS), slot)
    }
  }
}

type Words = readonly [number, number, number]

function wordsAt(hashes: Uint8Array, at: number): Words {
  return [wordAt(hashes, at), wordAt(hashes, at + 4), wordAt(hashes, at + 8)]
}

function wordAt(hashes: Uint8Array, at: number): number {
  const high = (hashes[at]! << 24) | (hashes[at + 1]! << 16)
  return (high | (hashes[at + 2]! << 8) | hashes[at + 3]!) >>> 0
}
