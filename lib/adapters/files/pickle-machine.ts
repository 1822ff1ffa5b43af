import type { FileWindow } from './file-window.ts'
import { PickleBytes } from './pickle-bytes.ts'
import { allowGlobal, applyGlobal, applyState, type Fail, makeInstance } from './pickle-globals.ts'
import { PickleMemo } from './pickle-memo.ts'
import { nameOf, OP } from './pickle-opcodes.ts'
import { type Dict, describe, kindOf, type List, type Tuple, type Value } from './pickle-values.ts'

const HIGHEST_PROTOCOL = 5
const MOST_VALUES = 4_000_000

/**
 * Interprets a pickle, opcode by opcode, without ever running what it names: classes come from an allow-list, arrays
 * stay places in the file. Every failure is `corrupt` and names the file and the byte.
 */
export class PickleMachine {
  readonly bytes: PickleBytes
  readonly stack: Value[] = []
  /** Heights of the stack at the open marks. */
  readonly marks: number[] = []
  readonly memo: PickleMemo
  /** Places of the explicit memo indices since the list was emptied last: [place, bytes, index]. */
  readonly puts: [number, 1 | 4, number][] = []
  /** Number of frames so far. */
  frames = 0
  readonly #fail: Fail
  #opcodeAt = 0

  constructor(window: FileWindow, position = 0, memo = new PickleMemo()) {
    this.bytes = new PickleBytes(window, position)
    this.memo = memo
    this.#fail = (what) => window.fail(this.#opcodeAt, what)
  }

  /** Interprets one opcode; false once it was the last. */
  step(): boolean {
    this.#opcodeAt = this.bytes.position
    const opcode = this.bytes.readUint(1)
    if (opcode === OP.STOP) return false
    const done =
      this.#stepNumber(opcode) ||
      this.#stepText(opcode) ||
      this.#stepMemo(opcode) ||
      this.#stepContainer(opcode) ||
      this.#stepObject(opcode)
    if (!done) this.#fail(`opcode ${nameOf(opcode)} is not allowed in a pickle of arrays`)
    if (this.stack.length > MOST_VALUES) this.#fail('holds too many values at once')
    return true
  }

  #stepNumber(opcode: number): boolean {
    const { bytes, stack } = this
    if (opcode === OP.NONE) stack.push(null)
    else if (opcode === OP.NEWTRUE || opcode === OP.NEWFALSE) stack.push(opcode === OP.NEWTRUE)
    else if (opcode === OP.BININT) stack.push(bytes.readInt32())
    else if (opcode === OP.BININT1) stack.push(bytes.readUint(1))
    else if (opcode === OP.BININT2) stack.push(bytes.readUint(2))
    else if (opcode === OP.LONG1) stack.push(bytes.readLong(bytes.readUint(1)))
    else if (opcode === OP.LONG4) stack.push(bytes.readLong(bytes.readUint(4)))
    else if (opcode === OP.BINFLOAT) stack.push(bytes.readFloat64())
    else if (opcode === OP.INT || opcode === OP.LONG || opcode === OP.FLOAT) {
      stack.push(this.#parseNumber(bytes.readLine()))
    } else return false
    return true
  }

  #parseNumber(line: string): number | boolean {
    if (line === '00' || line === '01') return line === '01'
    const value = Number(line.replace(/L$/, ''))
    return line === '' || Number.isNaN(value)
      ? this.#fail(`expected a number, found ${describe(line)}`)
      : value
  }

  #stepText(opcode: number): boolean {
    const { bytes, stack } = this
    if (opcode === OP.SHORT_BINUNICODE) stack.push(bytes.readText(bytes.readUint(1)))
    else if (opcode === OP.BINUNICODE) stack.push(bytes.readText(bytes.readUint(4)))
    else if (opcode === OP.BINUNICODE8) stack.push(bytes.readText(bytes.readUint64()))
    else if (opcode === OP.SHORT_BINSTRING) stack.push(bytes.readText(bytes.readUint(1), 'latin1'))
    else if (opcode === OP.BINSTRING) stack.push(bytes.readText(bytes.readUint(4), 'latin1'))
    else if (opcode === OP.UNICODE) stack.push(unescapeUnicode(bytes.readLine()))
    else if (opcode === OP.STRING) stack.push(unescapeString(bytes.readLine()))
    else if (opcode === OP.SHORT_BINBYTES) stack.push(bytes.skipPayload(bytes.readUint(1)))
    else if (opcode === OP.BINBYTES) stack.push(bytes.skipPayload(bytes.readUint(4)))
    else if (opcode === OP.BINBYTES8 || opcode === OP.BYTEARRAY8)
      stack.push(bytes.skipPayload(bytes.readUint64()))
    else return false
    return true
  }

  #stepMemo(opcode: number): boolean {
    const { bytes, memo } = this
    if (opcode === OP.MEMOIZE) memo.put(memo.count, this.#top(), this.#fail)
    else if (opcode === OP.BINPUT) this.#put(1)
    else if (opcode === OP.LONG_BINPUT) this.#put(4)
    else if (opcode === OP.PUT) memo.put(this.#parseIndex(), this.#top(), this.#fail)
    else if (opcode === OP.BINGET) this.stack.push(memo.get(bytes.readUint(1), this.#fail))
    else if (opcode === OP.LONG_BINGET) this.stack.push(memo.get(bytes.readUint(4), this.#fail))
    else if (opcode === OP.GET) this.stack.push(memo.get(this.#parseIndex(), this.#fail))
    else return false
    return true
  }

  #put(width: 1 | 4): void {
    const place = this.bytes.position
    const index = this.bytes.readUint(width)
    this.puts.push([place, width, index])
    this.memo.put(index, this.#top(), this.#fail)
  }

  #parseIndex(): number {
    const line = this.bytes.readLine()
    return /^\d{1,15}$/.test(line) ? Number(line) : this.#fail(`expected an index, found ${describe(line)}`)
  }

  #stepContainer(opcode: number): boolean {
    const { stack, marks } = this
    if (opcode === OP.MARK) marks.push(stack.length)
    else if (opcode === OP.EMPTY_TUPLE) stack.push(tuple([]))
    else if (opcode === OP.TUPLE) stack.push(tuple(this.#popMarked()))
    else if (opcode >= OP.TUPLE1 && opcode <= OP.TUPLE3) stack.push(tuple(this.#pop(opcode - OP.TUPLE1 + 1)))
    else if (opcode === OP.EMPTY_LIST) stack.push({ kind: 'list', items: [] })
    else if (opcode === OP.LIST) stack.push({ kind: 'list', items: this.#popMarked() })
    else if (opcode === OP.APPEND) this.#append(this.#pop(1))
    else if (opcode === OP.APPENDS) this.#append(this.#popMarked())
    else if (opcode === OP.EMPTY_DICT) stack.push({ kind: 'dict', entries: [] })
    else if (opcode === OP.DICT) this.#makeDict(this.#popMarked())
    else if (opcode === OP.SETITEM) this.#setItems(this.#pop(2))
    else if (opcode === OP.SETITEMS) this.#setItems(this.#popMarked())
    else if (opcode === OP.POP_MARK) this.#popMarked()
    else if (opcode === OP.POP) this.#pop(1)
    else return false
    return true
  }

  #append(items: readonly Value[]): void {
    const target = this.#top()
    if (kindOf(target) !== 'list') this.#fail(`expected a list, found ${describe(target)}`)
    for (const item of items) (target as List).items.push(item)
  }

  #makeDict(items: readonly Value[]): void {
    this.stack.push({ kind: 'dict', entries: [] })
    this.#setItems(items)
  }

  #setItems(items: readonly Value[]): void {
    const target = this.#top()
    if (kindOf(target) !== 'dict') this.#fail(`expected a dict, found ${describe(target)}`)
    if (items.length % 2 === 1) this.#fail('a key without a value')
    for (let at = 0; at < items.length; at += 2) (target as Dict).entries.push([items[at]!, items[at + 1]!])
  }

  #stepObject(opcode: number): boolean {
    const { bytes, stack } = this
    if (opcode === OP.PROTO) this.#checkProtocol(bytes.readUint(1))
    else if (opcode === OP.FRAME) this.frames += bytes.readUint64() > 0 ? 1 : 0
    else if (opcode === OP.GLOBAL) stack.push(allowGlobal(bytes.readLine(), bytes.readLine(), this.#fail))
    else if (opcode === OP.STACK_GLOBAL) this.#pushGlobal()
    else if (opcode === OP.REDUCE) this.#replaceTwo(applyGlobal)
    else if (opcode === OP.NEWOBJ) this.#replaceTwo((callee, _args, fail) => makeInstance(callee, fail))
    else if (opcode === OP.BUILD) {
      const [state] = this.#pop(1)
      applyState(this.#top(), state!, this.#fail)
    } else return false
    return true
  }

  #checkProtocol(protocol: number): void {
    if (protocol > HIGHEST_PROTOCOL)
      this.#fail(`protocol ${protocol} is not known, expected 0 to ${HIGHEST_PROTOCOL}`)
  }

  #pushGlobal(): void {
    const [module, name] = this.#pop(2)
    if (typeof module !== 'string' || typeof name !== 'string') this.#fail('expected the name of a class')
    this.stack.push(allowGlobal(String(module), String(name), this.#fail))
  }

  #replaceTwo(make: (callee: Value | undefined, args: Value | undefined, fail: Fail) => Value): void {
    const [callee, args] = this.#pop(2)
    this.stack.push(make(callee, args, this.#fail))
  }

  #top(): Value {
    const floor = this.marks.at(-1) ?? 0
    return this.stack.length > floor ? this.stack.at(-1)! : this.#fail('needs a value where there is none')
  }

  #pop(count: number): Value[] {
    const floor = this.marks.at(-1) ?? 0
    if (this.stack.length - count < floor) this.#fail('needs a value where there is none')
    return this.stack.splice(this.stack.length - count, count)
  }

  #popMarked(): Value[] {
    const mark = this.marks.pop()
    return mark === undefined ? this.#fail('closes a group that was never opened') : this.stack.splice(mark)
  }
}

function tuple(items: readonly Value[]): Tuple {
  return { kind: 'tuple', items }
}

/** Undoes Python's raw-unicode-escape: only \uXXXX and \UXXXXXXXX mean something. */
function unescapeUnicode(line: string): string {
  return line.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (all, short?: string, long?: string) => {
    const code = Number.parseInt(short ?? long ?? '', 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : all
  })
}

/** Undoes the quoting of Python 2's repr of a string of bytes. */
function unescapeString(line: string): string {
  const names: Record<string, string> = { n: '\n', r: '\r', t: '\t' }
  return line.slice(1, -1).replace(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (_all, hex?: string, plain?: string) => {
    return hex === undefined
      ? (names[plain ?? ''] ?? plain ?? '')
      : String.fromCharCode(Number.parseInt(hex, 16))
  })
}
