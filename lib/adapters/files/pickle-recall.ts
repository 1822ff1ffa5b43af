import { FileWindow } from './file-window.ts'
import { PickleMachine } from './pickle-machine.ts'
import { PickleMemo } from './pickle-memo.ts'
import { isArray, type Value } from './pickle-values.ts'

/** Items between two noted places: fewer cost memory, more cost time when an entry is recalled. */
const SPACING = 16
const WINDOW = 64 * 1024
const MOST_STEPS = 20_000
/** An array that is shared refers to nothing that was forgotten; a damaged pickle may refer to itself. */
const MOST_DEPTH = 4

/** Finds memo entries that were forgotten, by interpreting the items from the last noted place before them again. */
export class PickleRecall {
  readonly #file: FileWindow
  readonly #positions: number[] = []
  readonly #counts: number[] = []
  readonly #marked: boolean[] = []
  #items = 0
  #steps = 0
  #depth = 0
  #window: FileWindow | undefined

  constructor(file: FileWindow) {
    this.#file = file
  }

  /** Tells where an item begins, how many memo entries there were, and whether a mark was open. */
  note(position: number, memoCount: number, isMarked: boolean): void {
    if (this.#items++ % SPACING !== 0) return
    this.#positions.push(position)
    this.#counts.push(memoCount)
    this.#marked.push(isMarked)
  }

  /** The entry `index` of `memo`. Raises `corrupt` where that takes too many steps. */
  read(index: number, memo: PickleMemo): Value {
    if (this.#depth === 0) this.#steps = 0
    this.#depth++
    try {
      return this.#replay(index, memo)
    } finally {
      this.#depth--
    }
  }

  #replay(index: number, memo: PickleMemo): Value {
    if (this.#depth > MOST_DEPTH) this.#file.fail(0, `refers to entry ${index}, which refers to itself`)
    const place = this.#findPlace(index)
    this.#window ??= new FileWindow(this.#file, WINDOW)
    const replayed = new PickleMemo((inner) => this.read(inner, memo), memo)
    replayed.count = this.#counts[place]!
    const machine = new PickleMachine(this.#window, this.#positions[place]!, replayed)
    machine.stack.push({ kind: 'dict', entries: [] })
    if (this.#marked[place]) machine.marks.push(1)
    for (;;) {
      const value = replayed.peek(index)
      if (value !== undefined && !(isArray(value) && value.payload === undefined)) return value
      if (++this.#steps > MOST_STEPS || !machine.step()) {
        machine.bytes.fail(`refers to entry ${index}, which cannot be read again`)
      }
    }
  }

  /** The last noted place with no more than `index` entries before it. */
  #findPlace(index: number): number {
    let low = 0
    let high = this.#counts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#counts[middle]! <= index) low = middle
      else high = middle - 1
    }
    return low
  }
}
