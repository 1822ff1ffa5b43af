import type { Hash } from 'node:crypto'
import { LongshoreError } from '../../domain/errors.ts'
import { BlockFile } from './block-file.ts'
import type { Line } from './item-line.ts'

const LINE_FEED = 0x0a
const BLOCK_BYTES = 1 << 20

/** Reads a file line by line, and is itself the line that was read last; `hash` takes in all of its bytes. */
export class LineReader implements Line {
  bytes = Buffer.alloc(0)
  view = new DataView(this.bytes.buffer)
  start = 0
  end = -1
  readonly #path: string
  readonly #file: BlockFile
  readonly #hash: Hash
  /** Byte of the file that `bytes` begins with. */
  #base = 0

  constructor(path: string, hash: Hash) {
    this.#path = path
    this.#file = new BlockFile(path)
    this.#hash = hash
  }

  /** Byte of the file that the line begins with; after the last line, the length of the file. */
  get position(): number {
    return this.#base + this.start
  }

  /** Moves to the next line; false after the last. Raises `corrupt` where that has no line feed. */
  next(): boolean {
    this.start = this.end + 1
    this.end = this.bytes.indexOf(LINE_FEED, this.start)
    while (this.end < 0) {
      const kept = this.bytes.length - this.start
      if (!this.#readMore()) {
        if (kept === 0) return false
        throw new LongshoreError('corrupt', `${this.#path}: ends inside a line`)
      }
      this.end = this.bytes.indexOf(LINE_FEED, kept)
    }
    return true
  }

  close(): void {
    this.#file.close()
  }

  /** Keeps what is left of the block and adds the next one; false at the end of the file. */
  #readMore(): boolean {
    const kept = this.bytes.subarray(this.start)
    const block = Buffer.allocUnsafeSlow(kept.length + BLOCK_BYTES)
    kept.copy(block)
    const read = this.#file.read(block.subarray(kept.length))
    this.#hash.update(block.subarray(kept.length, kept.length + read))
    this.bytes = block.subarray(0, kept.length + read)
    this.view = new DataView(block.buffer, 0, this.bytes.length)
    this.#base += this.start
    this.start = 0
    return read > 0
  }
}
