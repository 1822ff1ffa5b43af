import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** A file that is read from its start to its end, in blocks. */
export class BlockFile {
  readonly size: number
  readonly #descriptor: number

  /** Opens a file; raises what the system raises. */
  constructor(path: string) {
    this.#descriptor = openSync(path, 'r')
    this.size = fstatSync(this.#descriptor).size
  }

  /** Fills `target` with what follows, and returns the number of bytes: fewer than it holds at the end of the file. */
  read(target: Uint8Array): number {
    let filled = 0
    while (filled < target.length) {
      const read = readSync(this.#descriptor, target, filled, target.length - filled, null)
      if (read === 0) break
      filled += read
    }
    return filled
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}
