import type { Fail } from './pickle-globals.ts'
import { kindOf, type Value } from './pickle-values.ts'

const MOST_KEPT = 1_000_000

/** Computes a memo entry that was not kept, by reading its part of the file again. */
export type Recall = (index: number) => Value

/**
 * What a pickle refers back to. While items stream through, only the entries of the first item, classes and element
 * types are kept: whatever else is asked for again, for example an array that two texts share, is recalled.
 */
export class PickleMemo {
  /** Number of entries so far; the index of the next one. */
  count = 0
  readonly #kept: Map<number, Value>
  readonly #recent = new Map<number, Value>()
  readonly #recall: Recall | undefined
  #keepsAll = true

  constructor(recall?: Recall, base?: PickleMemo) {
    this.#recall = recall
    this.#kept = base ? base.#kept : new Map()
    if (base) this.#keepsAll = false
  }

  put(index: number, value: Value, fail: Fail): void {
    const kind = kindOf(value)
    const isKept = this.#keepsAll || kind === 'global' || kind === 'dtype'
    const target = isKept ? this.#kept : this.#recent
    if (target.size >= MOST_KEPT) fail(`more than ${MOST_KEPT} values are referred to`)
    target.set(index, value)
    this.count = Math.max(this.count, index + 1)
  }

  get(index: number, fail: Fail): Value {
    let value = this.peek(index)
    if (value === undefined && index < this.count) value = this.#recall?.(index)
    return value === undefined ? fail(`refers to entry ${index}, which does not exist`) : value
  }

  /** The entry, unless it was forgotten. */
  peek(index: number): Value | undefined {
    return this.#recent.has(index) ? this.#recent.get(index) : this.#kept.get(index)
  }

  /** Ends an item: its entries are recalled from now on, but for those of the first. */
  forget(): void {
    this.#keepsAll = false
    this.#recent.clear()
  }
}
