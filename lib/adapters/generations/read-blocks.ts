import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** A file that is read from its start in blocks. */
export type BlockReader = {
  readonly size: number
  /** The next `length` bytes, fewer at the end of the file; valid until the next call. */
  next(length: number): Uint8Array
  close(): void
}

/** Opens a file for reading in blocks into one buffer that is used again; raises what the system raises. */
export function readBlocks(path: string): BlockReader {
  const descriptor = openSync(path, 'r')
  const { size } = fstatSync(descriptor)
  let buffer = new Uint8Array(0)
  return {
    size,
    next(length) {
      if (buffer.length < length) buffer = new Uint8Array(length)
      let filled = 0
      while (filled < length) {
        const read = readSync(descriptor, buffer, filled, length - filled, null)
        if (read === 0) break
        filled += read
      }
      return buffer.subarray(0, filled)
    },
    close: () => closeSync(descriptor),
  }
}
