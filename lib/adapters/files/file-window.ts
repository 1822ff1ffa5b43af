import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { LongshoreError } from '../../domain/errors.ts'

const MOST_BYTES = 256 * 1024 * 1024

/** A part of a file in memory that moves along as it is read. Reads are synchronous and positioned. */
export class FileWindow {
  readonly path: string
  readonly size: number
  /** The part in memory: bytes[0, end - start) are those of the file at [start, end). */
  bytes: Buffer
  /** The same memory as `bytes`. */
  view: DataView
  start = 0
  end = 0
  readonly #descriptor: number
  readonly #owned: boolean

  /** A window of `capacity` bytes on a file; on another window's file where that is given. Raises `not-found`. */
  constructor(from: string | FileWindow, capacity = 1024 * 1024) {
    this.#owned = typeof from === 'string'
    this.path = typeof from === 'string' ? from : from.path
    this.#descriptor = typeof from === 'string' ? openFile(from) : from.#descriptor
    this.size = fstatSync(this.#descriptor).size
    this.bytes = Buffer.allocUnsafeSlow(Math.max(64, Math.min(capacity, this.size)))
    this.view = new DataView(this.bytes.buffer)
  }

  /** The index into `bytes` of the file's bytes [offset, offset + length). Raises `corrupt` where the file is shorter. */
  locate(offset: number, length: number): number {
    if (offset >= this.start && offset + length <= this.end) return offset - this.start
    if (offset + length > this.size)
      this.fail(this.size, `ends too early: ${length} bytes expected at byte ${offset}`)
    if (length > this.bytes.length) this.#grow(length)
    this.load(offset)
    return offset - this.start
  }

  /** Fills the window with what follows `offset`. */
  load(offset: number): void {
    const wanted = Math.min(this.bytes.length, this.size - offset)
    let filled = 0
    while (filled < wanted) {
      const read = readSync(this.#descriptor, this.bytes, filled, wanted - filled, offset + filled)
      if (read === 0) this.fail(offset + filled, 'became shorter while it was read')
      filled += read
    }
    this.start = offset
    this.end = offset + filled
  }

  /** Makes the window twice as large and fills it from `offset`. */
  widen(offset: number): void {
    this.#grow(this.bytes.length * 2)
    this.load(offset)
  }

  /** Raises `corrupt` naming the file and the place. */
  fail(offset: number, what: string): never {
    throw new LongshoreError('corrupt', `${this.path}, byte ${offset}: ${what}`)
  }

  close(): void {
    if (this.#owned) closeSync(this.#descriptor)
  }

  #grow(length: number): void {
    if (length > MOST_BYTES) this.fail(this.start, `holds one value of more than ${MOST_BYTES} bytes`)
    this.bytes = Buffer.allocUnsafeSlow(length)
    this.view = new DataView(this.bytes.buffer)
    this.start = 0
    this.end = 0
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new LongshoreError('not-found', `${path}: no such file`, { cause: error })
  }
}
