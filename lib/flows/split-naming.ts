import { HashCounter } from '../domain/hash-counter.ts'
import { hashTextInto, idOfHash } from '../domain/text-hash.ts'
import type { SourceItem } from '../ports/input.ts'

/** Gives every item of an input its id, unique among all; remembers ids and texts by their 64-bit hashes. */
export class Naming {
  readonly #hash = new Uint32Array(2)
  readonly #expectedRows: number
  #givenIds: HashCounter | undefined
  #texts: HashCounter | undefined

  /** About how many rows will come. */
  constructor(expectedRows: number) {
    this.#expectedRows = expectedRows
  }

  /** The id of an item: its own, or one made of its text, or of its place; null for an own one that stands twice. */
  nameItem({ id, text }: SourceItem, ordinal: number): string | null {
    const hash = this.#hash
    if (id !== undefined) {
      hashTextInto(id, hash)
      this.#givenIds ??= new HashCounter(this.#expectedRows)
      return this.#givenIds.add(hash[0]!, hash[1]!) === 0 ? id : null
    }
    if (text === undefined) return `r${ordinal}`
    hashTextInto(text, hash)
    return nameText(hash[0]!, hash[1]!, this.countText(hash[0]!, hash[1]!))
  }

  /** How many items before have the text of this hash; counts it in. */
  countText(high: number, low: number): number {
    this.#texts ??= new HashCounter(this.#expectedRows)
    return this.#texts.add(high, low)
  }
}

/** The id of an item whose text has this hash, and which `repetition` items before it have too. */
export function nameText(high: number, low: number, repetition: number): string {
  const id = idOfHash(high, low)
  return repetition === 0 ? id : `${id}-${repetition}`
}
