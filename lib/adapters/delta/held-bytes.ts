import { closeSync, constants, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { FileEntry } from '../../domain/manifest.ts'

const MOST_OPEN = 32
/** Ranges that follow each other nearly are read together: as many bytes at a time. */
const WINDOW_BYTES = 64 * 1024
/** A gap that costs less to read than another call of the system does. */
const SMALL_GAP = 16 * 1024
/** Ranges lie near to each other where of what is read between them at least this share is asked for. */
const NEAR_SHARE = 1 / 8

type Open = {
  readonly descriptor: number
  readonly window: Buffer
  start: number
  filled: number
  /** Where the range that was asked for last ends. */
  next: number
}

/** Ranges of the files of a generation, in any order; few files are open at a time. */
export class HeldBytes {
  readonly #directory: string
  readonly #files: readonly FileEntry[]
  readonly #open = new Map<number, Open>()

  constructor(directory: string, files: readonly FileEntry[]) {
    this.#directory = directory
    this.#files = files
  }

  /** Fills `target` with what begins at `offset` of a file. Raises an error where the file ends before, or what the system raises. */
  read(file: number, offset: number, target: Uint8Array): void {
    const open = this.#openFile(file)
    const gap = offset - open.next
    const isNear = gap >= 0 && gap < Math.max(SMALL_GAP, target.length / NEAR_SHARE)
    const isHeld = offset >= open.start && offset + target.length <= open.start + open.filled
    open.next = offset + target.length
    if (!isHeld && (target.length > WINDOW_BYTES / 2 || !isNear)) {
      this.#readWhole(file, open.descriptor, { offset, target })
      return
    }
    if (!isHeld) {
      open.start = offset
      open.filled = readSync(open.descriptor, open.window, 0, WINDOW_BYTES, offset)
    }
    const at = offset - open.start
    const found = open.window.subarray(at, Math.min(at + target.length, open.filled))
    target.set(found)
    // The end of the file, or a read that was cut short.
    const rest = { offset: offset + found.length, target: target.subarray(found.length) }
    this.#readWhole(file, open.descriptor, rest)
  }

  close(): void {
    for (const { descriptor } of this.#open.values()) closeSync(descriptor)
    this.#open.clear()
  }

  #readWhole(
    file: number,
    descriptor: number,
    { offset, target }: { readonly offset: number; readonly target: Uint8Array },
  ): void {
    for (let done = 0; done < target.length; ) {
      const read = readSync(descriptor, target, done, target.length - done, offset + done)
      if (read === 0) throw new Error(`${this.#locate(file)}: ends at ${offset + done} bytes`)
      done += read
    }
  }

  #openFile(file: number): Open {
    const known = this.#open.get(file)
    if (known) return known
    const [oldest] = this.#open.entries()
    if (this.#open.size >= MOST_OPEN && oldest) {
      closeSync(oldest[1].descriptor)
      this.#open.delete(oldest[0])
    }
    const descriptor = openSync(this.#locate(file), constants.O_RDONLY | constants.O_NOFOLLOW)
    const open = { descriptor, window: Buffer.allocUnsafeSlow(WINDOW_BYTES), start: 0, filled: 0, next: 0 }
    this.#open.set(file, open)
    return open
  }

  #locate(file: number): string {
    return join(this.#directory, this.#files[file]!.path)
  }
}
