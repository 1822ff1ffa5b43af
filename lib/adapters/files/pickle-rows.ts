import { hashBytes, hashTextInto } from '../../domain/text-hash.ts'
import { FileWindow } from './file-window.ts'
import { copyFloats, FLOAT_BYTES, type FloatTarget } from './floats.ts'
import { PickleMachine } from './pickle-machine.ts'
import { PickleMemo } from './pickle-memo.ts'
import { isNote, OP } from './pickle-opcodes.ts'
import { PickleRecall } from './pickle-recall.ts'
import { ItemTemplate } from './pickle-template.ts'
import { type Dict, describe, isArray, kindOf, type PickledArray, rowLength } from './pickle-values.ts'

const DISTANT_BYTES = 16 * 1024

/**
 * The items of a pickled dict of text -> NumPy array, one after the other, in memory that does not grow with the
 * arrays. `advance` moves to the next one; the fields then tell it. Raises `corrupt` naming file and byte.
 */
export class PickledRows {
  /** The text as UTF-8: bytes[start, end). */
  bytes: Buffer = Buffer.alloc(0)
  start = 0
  end = 0
  /** The 64-bit hash of the text. */
  readonly hash = new Uint32Array(2)
  /** Numbers in the row; undefined where its array is no single row. */
  length: number | undefined
  /** Element type as NumPy writes it, for example `<f4`. */
  descr = ''
  readonly #window: FileWindow
  readonly #machine: PickleMachine
  readonly #recall: PickleRecall
  #distant: FileWindow | undefined
  #template: ItemTemplate | undefined
  #learned: Pick<PickledRows, 'length' | 'descr'> = { length: undefined, descr: '' }
  #array: PickledArray | undefined

  constructor(window: FileWindow) {
    this.#window = window
    const memo = new PickleMemo((index) => this.#recall.read(index, memo))
    this.#machine = new PickleMachine(window, 0, memo)
    this.#recall = new PickleRecall(window)
  }

  /** Moves to the next item; false after the last. */
  advance(): boolean {
    const { bytes, memo } = this.#machine
    const template = this.#matchTemplate()
    if (!template) return this.#advanceByMachine()
    this.#noteStart()
    const { textStart, textEnd, end, memoAdded } = template
    this.bytes = this.#window.bytes
    this.start = textStart
    this.end = textEnd
    hashBytes(this.#window.view, textStart, textEnd, this.hash)
    this.#array = undefined
    this.length = this.#learned.length
    this.descr = this.#learned.descr
    bytes.position = this.#window.start + end
    memo.count += memoAdded
    return true
  }

  get text(): string {
    return this.bytes.toString('utf8', this.start, this.end)
  }

  /** Copies the numbers of the row to target[targetAt ..], as `copyFloats` does; `length` must be known. */
  copyTo(target: FloatTarget, targetAt: number): void {
    const { length: count = 0, descr } = this
    const payload = this.#array?.payload
    if (payload === undefined) {
      const at = this.#template!.payloadStart
      copyFloats({ bytes: this.#window.bytes, at, count, descr }, target, targetAt)
    } else if (payload.inline) {
      copyFloats({ bytes: Buffer.from(payload.inline), at: 0, count, descr }, target, targetAt)
    } else {
      const window = this.#windowOf(payload.offset)
      const at = window.locate(payload.offset, payload.length)
      copyFloats({ bytes: window.bytes, at, count, descr }, target, targetAt)
    }
  }

  /** A small window for arrays far back that are shared: the large one need not move for them. */
  #windowOf(offset: number): FileWindow {
    if (offset >= this.#window.start) return this.#window
    this.#distant ??= new FileWindow(this.#window, DISTANT_BYTES)
    return this.#distant
  }

  /** The template, where the next item is like it; a frame that begins before an item says nothing about it. */
  #matchTemplate(): ItemTemplate | undefined {
    const template = this.#template
    const { bytes, memo } = this.#machine
    if (template?.match(this.#window, bytes.position, memo.count)) return template
    if (!template || bytes.peek() !== OP.FRAME) return undefined
    this.#machine.step()
    return template.match(this.#window, bytes.position, memo.count) ? template : undefined
  }

  #advanceByMachine(): boolean {
    const machine = this.#machine
    const { memo, puts, bytes } = machine
    const start = bytes.position
    const [memoCount, frames] = [memo.count, machine.frames]
    puts.length = 0
    this.#noteStart()
    while (!this.#isItemComplete()) {
      if (!machine.step()) return this.#finish()
      this.#checkDict()
    }
    const array = this.#takeItem()
    if (array.payload && frames === machine.frames) {
      const memoAdded = memo.count - memoCount
      const item = { start, end: bytes.position, payload: array.payload, memoCount, memoAdded, puts }
      const template = ItemTemplate.learn(item, this.#window)
      if (template) this.#learned = { length: this.length, descr: this.descr }
      this.#template = template ?? this.#template
    }
    if (bytes.peek() === OP.SETITEM) bytes.position++
    return true
  }

  /** Whether the innermost open dict has one more key, with an array that no further opcode will change. */
  #isItemComplete(): boolean {
    const { stack, marks, bytes } = this.#machine
    if (marks.length > 1 || stack.length !== (marks[0] ?? 1) + 2 || kindOf(stack[0]) !== 'dict') return false
    const value = stack.at(-1)
    if (!isArray(value) || value.payload === undefined) return false
    const next = bytes.peek()
    return next !== undefined && !isNote(next)
  }

  #takeItem(): PickledArray {
    const { stack, bytes, memo } = this.#machine
    const array = stack.pop() as PickledArray
    const key = stack.pop()
    if (typeof key !== 'string') bytes.fail(`expected a text as key, found ${describe(key)}`)
    memo.forget()
    this.#array = array
    this.bytes = Buffer.from(String(key))
    this.start = 0
    this.end = this.bytes.length
    hashTextInto(String(key), this.hash)
    this.descr = `${array.dtype?.order}${array.dtype?.code}`
    this.length = rowLength(array)
    if (!FLOAT_BYTES[this.descr]) {
      bytes.fail(
        `${describe(this.text)} has an array of ${this.descr}, expected little-endian float32 or float64`,
      )
    }
    return array
  }

  #checkDict(): void {
    const [outer] = this.#machine.stack
    const [entry] = kindOf(outer) === 'dict' ? (outer as Dict).entries : []
    if (entry) {
      this.#machine.bytes.fail(
        `the value of ${describe(entry[0])} is ${describe(entry[1])}, expected a NumPy array`,
      )
    }
  }

  #finish(): false {
    const { stack, bytes } = this.#machine
    if (stack.length !== 1 || kindOf(stack[0]) !== 'dict') {
      bytes.fail(`expected a dict of text -> NumPy array, found ${describe(stack.at(-1))}`)
    }
    return false
  }

  #noteStart(): void {
    const { bytes, memo, marks } = this.#machine
    this.#recall.note(bytes.position, memo.count, marks.length > 0)
  }
}
