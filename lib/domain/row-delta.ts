/** Rows that follow each other; a row is known by its fingerprint and its length. */
export type RowBlock = {
  readonly count: number
  /** Two uint32 per row; at least 2 x count. */
  readonly prints: Uint32Array
  /** Bytes per row; at least count. */
  readonly lengths: Uint32Array
}

/** Where a row is not in the base. */
export const NOWHERE = -1

/**
 * Finds rows of a window in a base that is read once, block by block: one entry per row of the window, where the row
 * begins in the base, or NOWHERE. Holds 16 bytes per row of the window, whatever the size of the base.
 *
 * Base rows that go on where the last one was found are compared with the next row alone, so that what kept its order
 * costs no look-up and stays in one run, also among rows that stand more than once.
 */
export class RowMatcher {
  readonly places: Float64Array<ArrayBuffer>
  readonly #window: RowBlock
  readonly #table: Int32Array<ArrayBuffer>
  #expected = 0

  constructor(window: RowBlock) {
    this.#window = window
    this.places = new Float64Array(window.count).fill(NOWHERE)
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(2 * Math.max(1, window.count))))
    for (let row = 0; row < window.count; row++) {
      const slot = this.#findSlot(window.prints, row)
      if (this.#table[slot] === 0) this.#table[slot] = row + 1
    }
  }

  /** Looks at rows of the base; the first one begins at byte `start`. */
  look({ count, prints, lengths }: RowBlock, start: number): void {
    const { places } = this
    let offset = start
    for (let row = 0; row < count; row++) {
      const found = this.#isAt(this.#expected, prints, row)
        ? this.#expected
        : this.#table[this.#findSlot(prints, row)]! - 1
      if (found >= 0) {
        if (places[found] === NOWHERE) places[found] = offset
        this.#expected = found + 1
      }
      offset += lengths[row]!
    }
  }

  /** Places of all rows, after the whole base was looked at: a row that stands twice may come from one place. */
  finish(): Float64Array {
    const { places } = this
    for (let row = 0; row < places.length; row++) {
      if (places[row] !== NOWHERE) continue
      places[row] = places[this.#table[this.#findSlot(this.#window.prints, row)]! - 1]!
    }
    return places
  }

  /** Frees what it holds, the places too: collected as garbage, that of one window would stay beside the next ones. */
  release(): void {
    for (const { buffer } of [this.places, this.#table]) buffer.transfer(0)
  }

  #isAt(row: number, prints: Uint32Array, other: number): boolean {
    const mine = this.#window.prints
    if (row >= this.#window.count) return false
    return mine[2 * row] === prints[2 * other] && mine[2 * row + 1] === prints[2 * other + 1]
  }

  /** The slot that holds the first row of the window with this fingerprint, or the free one where it would be. */
  #findSlot(prints: Uint32Array, row: number): number {
    const mask = this.#table.length - 1
    let slot = prints[2 * row]! & mask
    for (;;) {
      const found = this.#table[slot]!
      if (found === 0 || this.#isAt(found - 1, prints, row)) return slot
      slot = (slot + 1) & mask
    }
  }
}

/** Rows of a window that are copied from one place, or are new where `from` is NOWHERE. */
export type RowRun = {
  readonly first: number
  readonly rows: number
  readonly bytes: number
  readonly from: number
}

/** The rows from `first` to before `last` as runs, as long as they can be. */
export function* joinRuns(
  lengths: Uint32Array,
  places: Float64Array,
  { first, last }: { readonly first: number; readonly last: number },
): Generator<RowRun> {
  for (let row = first; row < last; ) {
    const begin = row
    const from = places[row]!
    let bytes = 0
    while (row < last && places[row] === (from === NOWHERE ? NOWHERE : from + bytes)) {
      bytes += lengths[row]!
      row++
    }
    yield { first: begin, rows: row - begin, bytes, from }
  }
}
