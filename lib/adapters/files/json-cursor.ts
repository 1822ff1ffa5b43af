import type { FileWindow } from './file-window.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Walks over a JSON file byte by byte, for files too large to be parsed whole. Raises `corrupt` with the place. */
export class JsonCursor {
  /** The text read last, as UTF-8: bytes[start, end) of whichever buffer holds it. */
  bytes: Buffer
  /** The same memory as `bytes`. */
  view: DataView
  start = 0
  end = 0
  readonly #window: FileWindow
  #position = 0

  constructor(window: FileWindow) {
    this.#window = window
    this.bytes = window.bytes
    this.view = window.view
  }

  /** The next byte that is not white space, without moving past it; undefined at the end of the file. */
  peek(): number | undefined {
    while (this.#position < this.#window.size) {
      const byte = this.#window.bytes[this.#window.locate(this.#position, 1)]!
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte
      this.#position++
    }
    return undefined
  }

  /** Whether the next character is this one, which is then passed. */
  take(character: string): boolean {
    if (this.peek() !== character.charCodeAt(0)) return false
    this.#position++
    return true
  }

  /** Passes this character. Raises `corrupt` where another stands, telling what was expected. */
  expect(character: string, meaning = JSON.stringify(character)): void {
    if (!this.take(character)) this.fail(`expected ${meaning}`)
  }

  /** Passes a text, whose bytes are then in `bytes[start, end)` until the next call. */
  readText(meaning = 'a text'): void {
    this.expect('"', meaning)
    const window = this.#window
    const begin = this.#position
    let at = begin < window.size ? window.locate(begin, 1) : 0
    let hasEscape = false
    for (;;) {
      const limit = window.end - window.start
      const { bytes } = window
      while (at < limit && bytes[at] !== QUOTE && bytes[at] !== BACKSLASH) at++
      if (at < limit && bytes[at] === QUOTE) break
      if (at + 1 < limit) {
        hasEscape = true
        at += 2
        continue
      }
      if (window.end >= window.size) this.fail('a text without an end')
      at -= begin - window.start
      if (begin > window.start) window.load(begin)
      else window.widen(begin)
    }
    this.#position = window.start + at + 1
    this.bytes = window.bytes
    this.view = window.view
    this.start = begin - window.start
    this.end = at
    if (hasEscape) this.#unescape(begin)
  }

  /** The text read last. */
  get text(): string {
    return this.bytes.toString('utf8', this.start, this.end)
  }

  /** Passes over the end of the file. Raises `corrupt` where something follows. */
  expectEnd(): void {
    if (this.peek() !== undefined) this.fail('expected the end of the file')
  }

  fail(what: string): never {
    this.#window.fail(this.#position, what)
  }

  #unescape(begin: number): void {
    const literal = this.text
    try {
      this.bytes = Buffer.from(JSON.parse(`"${literal}"`) as string)
    } catch {
      this.#window.fail(begin, `${JSON.stringify(literal.slice(0, 80))} is no JSON text`)
    }
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length)
    this.start = 0
    this.end = this.bytes.length
  }
}
