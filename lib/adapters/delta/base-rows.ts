import { rm } from 'node:fs/promises'
import type { RowBlock } from '../../domain/row-delta.ts'
import { AppendedFile } from '../generations/appended-file.ts'
import { BlockFile } from '../generations/block-file.ts'
import type { Pace } from './pace.ts'
import { BLOCK_ROWS, type RowShape, readRows } from './read-rows.ts'

/** A file of the base by its number in the manifest. */
export type BaseSource = { readonly file: number; readonly path: string; readonly bytes: number }

/** Rows of base files that follow each other; `start` is where the first one begins among the bytes of all of them. */
export type PlacedRows = { readonly start: number; readonly rows: RowBlock }

/** Words before the fingerprints of a block: number of rows, `start` as two uint32. */
const HEADER_WORDS = 3

/**
 * The fingerprints of all rows of base files, to be read as often as there are windows: in a file, 12 bytes per row,
 * so that memory does not grow with the base.
 */
export class BaseRows {
  readonly #path: string
  readonly #sources: readonly BaseSource[]
  /** Where each file begins among the bytes of all; a byte is left between files, so that no run goes over from one to the next. */
  readonly #starts: number[] = []

  constructor(path: string, sources: readonly BaseSource[]) {
    this.#path = path
    this.#sources = sources
    let next = 0
    for (const { bytes } of sources) {
      this.#starts.push(next)
      next += bytes + 1
    }
  }

  /** Reads all rows, once. */
  async collect(shape: RowShape, pace: Pace): Promise<void> {
    const file = new AppendedFile(this.#path)
    try {
      const words = new Uint32Array(HEADER_WORDS + 3 * BLOCK_ROWS)
      for (const [index, { path }] of this.#sources.entries()) {
        let start = this.#starts[index]! + shape.prefix
        for (const { count, prints, lengths } of readRows(path, shape)) {
          words.set([count, start % 2 ** 32, Math.floor(start / 2 ** 32)])
          words.set(prints.subarray(0, 2 * count), HEADER_WORDS)
          words.set(lengths.subarray(0, count), HEADER_WORDS + 2 * count)
          file.append(new Uint8Array(words.buffer, 0, 4 * (HEADER_WORDS + 3 * count)))
          for (let row = 0; row < count; row++) start += lengths[row]!
          await pace.turn()
        }
      }
    } finally {
      await file.close()
    }
  }

  /** All rows, in blocks that are valid until the next one. */
  *list(): Generator<PlacedRows> {
    const file = new BlockFile(this.#path)
    try {
      const header = new Uint32Array(HEADER_WORDS)
      const words = new Uint32Array(3 * BLOCK_ROWS)
      while (file.read(new Uint8Array(header.buffer)) > 0) {
        const [count, low, high] = header as unknown as [number, number, number]
        file.read(new Uint8Array(words.buffer, 0, 12 * count))
        const prints = words.subarray(0, 2 * count)
        yield {
          start: high * 2 ** 32 + low,
          rows: { count, prints, lengths: words.subarray(2 * count, 3 * count) },
        }
      }
    } finally {
      file.close()
    }
  }

  /** The file, by its number in the manifest, and the position in it of a byte among the bytes of all. */
  locate(place: number): { readonly file: number; readonly offset: number } {
    const after = this.#starts.findLastIndex((start) => start <= place)
    return { file: this.#sources[after]!.file, offset: place - this.#starts[after]! }
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true })
  }
}
