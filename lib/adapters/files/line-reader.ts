import { FileWindow } from './file-window.ts'

const LINE_FEED = 0x0a

/** The lines of a text file, one after the other, read in large blocks. */
export class LineReader {
  /** Number of the line read last, from 1. */
  number = 0
  readonly #window: FileWindow
  #position = 0

  constructor(path: string) {
    this.#window = new FileWindow(path, 4 * 1024 * 1024)
  }

  /** The next line that is not blank, without its end; undefined after the last. */
  next(): string | undefined {
    while (this.#position < this.#window.size) {
      const line = this.#readLine()
      this.number++
      if (line.trim() !== '') return line
    }
    return undefined
  }

  close(): void {
    this.#window.close()
  }

  #readLine(): string {
    const window = this.#window
    for (;;) {
      const at = window.locate(this.#position, 1)
      const filled = window.bytes.subarray(0, window.end - window.start)
      const found = filled.indexOf(LINE_FEED, at)
      const end = found >= 0 ? found : filled.length
      if (found >= 0 || window.end >= window.size) {
        this.#position = window.start + end + 1
        return filled.toString('utf8', at, end)
      }
      if (at > 0) window.load(this.#position)
      else window.widen(this.#position)
    }
  }
}
