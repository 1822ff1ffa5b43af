import type { FileWindow } from './file-window.ts'
import { OP } from './pickle-opcodes.ts'

/** An item of a dict as the machine read it: places in the file, and what it added to the memo. */
export type ReadItem = {
  readonly start: number
  readonly end: number
  readonly payload: { readonly offset: number; readonly length: number }
  /** Entries of the memo before the item, and how many the item added. */
  readonly memoCount: number
  readonly memoAdded: number
  readonly puts: readonly (readonly [place: number, width: 1 | 4, index: number])[]
}

/**
 * The bytes of an item around its text and its payload. An item with the same bytes, but for the indices of its memo
 * entries, means the same: the machine need not read it again. This is what makes large dicts fast.
 */
export class ItemTemplate {
  /** Indices into the window's bytes of what `match` found last. */
  textStart = 0
  textEnd = 0
  payloadStart = 0
  end = 0
  readonly payloadLength: number
  readonly memoAdded: number
  readonly #middle: Uint8Array
  readonly #tail: Uint8Array
  readonly #masks: readonly [Uint8Array, Uint8Array]
  readonly #puts: readonly { readonly at: number; readonly width: 1 | 4; readonly added: number }[]

  private constructor(item: ReadItem, bytes: Uint8Array, textEnd: number) {
    const payloadAt = item.payload.offset - item.start
    this.payloadLength = item.payload.length
    this.memoAdded = item.memoAdded
    this.#middle = bytes.slice(textEnd, payloadAt)
    this.#tail = bytes.slice(payloadAt + item.payload.length)
    const mask = new Uint8Array(bytes.length).fill(0xff)
    for (const [place, width] of item.puts) mask.fill(0, place - item.start, place - item.start + width)
    this.#masks = [mask.slice(textEnd, payloadAt), mask.slice(payloadAt + item.payload.length)]
    this.#puts = item.puts.map(([place, width, index]) => {
      const at = place - item.start
      return {
        at: at - textEnd,
        width,
        added: index - item.memoCount,
      }
    })
  }

  /** The template of an item, or undefined where it does not begin with its text and hold its own payload. */
  static learn(item: ReadItem, window: FileWindow): ItemTemplate | undefined {
    const { start, end, payload } = item
    if (
      payload.offset < start ||
      payload.offset + payload.length > end ||
      end > window.end ||
      start < window.start
    ) {
      return undefined
    }
    const bytes = Uint8Array.from(window.bytes.subarray(start - window.start, end - window.start))
    const textEnd = findTextEnd(bytes, 0)
    return textEnd < 0 || start + textEnd > payload.offset
      ? undefined
      : new ItemTemplate(item, bytes, textEnd)
  }

  /** Whether the item at a file offset is like this one; the places are then in the fields. */
  match(window: FileWindow, position: number, memoCount: number): boolean {
    if (position + 5 > window.size) return false
    const at = window.locate(position, 5)
    if (!this.#findPlaces(window.bytes, at)) return false
    if (this.end <= window.end - window.start) return this.#isEqual(window.bytes, memoCount)
    if (at === 0) return false
    window.load(position)
    return this.match(window, position, memoCount)
  }

  /** Works out where the item lies whose text begins at an index; false where none begins. */
  #findPlaces(bytes: Uint8Array, at: number): boolean {
    this.textEnd = findTextEnd(bytes, at)
    if (this.textEnd < 0) return false
    this.textStart = at + (bytes[at] === OP.BINUNICODE ? 5 : 2)
    this.payloadStart = this.textEnd + this.#middle.length
    this.end = this.payloadStart + this.payloadLength + this.#tail.length
    return true
  }

  #isEqual(bytes: Buffer, memoCount: number): boolean {
    if (!isMasked(bytes, this.textEnd, this.#middle, this.#masks[0])) return false
    if (!isMasked(bytes, this.end - this.#tail.length, this.#tail, this.#masks[1])) return false
    for (const { at, width, added } of this.#puts) {
      const place = this.textEnd + at
      const index = width === 1 ? bytes[place]! : bytes.readUInt32LE(place)
      if (index !== memoCount + added) return false
    }
    return true
  }
}

/** Where the text that begins at an index ends; -1 where none begins. */
function findTextEnd(bytes: Uint8Array, at: number): number {
  if (bytes[at] === OP.SHORT_BINUNICODE) return at + 2 + bytes[at + 1]!
  if (bytes[at] !== OP.BINUNICODE) return -1
  const upper = bytes[at + 3]! * 65_536 + bytes[at + 4]! * 16_777_216
  return at + 5 + bytes[at + 1]! + bytes[at + 2]! * 256 + upper
}

function isMasked(bytes: Uint8Array, at: number, expected: Uint8Array, mask: Uint8Array): boolean {
  for (let index = 0; index < expected.length; index++) {
    if (((bytes[at + index]! ^ expected[index]!) & mask[index]!) !== 0) return false
  }
  return true
}
