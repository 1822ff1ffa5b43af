import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type SHARD_FILES, shardDirectory, shardFile } from '../../domain/manifest.ts'
import { renderNpyHeader } from '../files/npy.ts'
import type { RowBuffers } from '../search/row-buffers.ts'
import { AppendedFile } from './appended-file.ts'

export type ShardWriterOptions = {
  readonly directory: string
  readonly cluster: number
  readonly dimensions: number
  /** How many rows will come, where that is known; it may prove wrong. */
  readonly expectedItems: number | undefined
  /** Where rows wait to be written, and which of the buffers is this shard's. */
  readonly buffers: RowBuffers
  readonly buffer: number
  /** Hears the lines of rows that are not finite; these are not written. */
  readonly reject: (line: Uint8Array) => void
}

/** Writes the three files of a shard, row by row. */
export class ShardWriter {
  readonly cluster: number
  items = 0
  readonly #options: ShardWriterOptions
  readonly #vectors: AppendedFile
  readonly #items: AppendedFile
  readonly #offsets: AppendedFile
  /** Lines of the rows that wait. */
  #lines: Uint8Array[] = []

  /** Creates the shard's directory and files. */
  constructor(options: ShardWriterOptions) {
    const { directory, cluster, expectedItems } = options
    mkdirSync(join(directory, shardDirectory(cluster)))
    const locate = (file: keyof typeof SHARD_FILES) => join(directory, shardFile(cluster, file))
    this.cluster = cluster
    this.#options = options
    this.#vectors = new AppendedFile(locate('vectors'), { hashed: expectedItems !== undefined })
    this.#items = new AppendedFile(locate('items'))
    this.#offsets = new AppendedFile(locate('offsets'))
    this.#vectors.append(this.#renderHeader(expectedItems ?? 0))
  }

  add(vector: Float32Array, line: Uint8Array): void {
    const { buffers, buffer } = this.#options
    buffers.put(buffer, this.#lines.length, vector)
    this.#lines.push(line)
    if (this.#lines.length === buffers.capacity) this.#flush()
  }

  /**
   * Writes what is left; the files are readable, but maybe not yet on the disk. Returns the SHA-256 of vectors.npy where
   * it could be computed on the way: its first bytes hold the number of rows, which must have been foretold.
   */
  finish(): string | null {
    this.#flush()
    this.#offsets.append(renderOffsets([this.#items.bytes]))
    if (this.items !== this.#options.expectedItems) this.#vectors.patch(this.#renderHeader(this.items), 0)
    return this.#vectors.digest()
  }

  /** Resolves when everything is on the disk. */
  async close(): Promise<void> {
    await Promise.all([this.#vectors, this.#items, this.#offsets].map((file) => file.close()))
  }

  #flush(): void {
    const { buffers, buffer, reject } = this.#options
    const lines = this.#lines
    const norms = buffers.squaredNorms(buffer, lines.length)
    let start = 0
    for (let row = 0; row < lines.length; row++) {
      if (Number.isFinite(norms[row])) continue
      reject(lines[row]!)
      this.#write(start, row)
      start = row + 1
    }
    this.#write(start, lines.length)
    this.#lines = []
  }

  /** Writes waiting rows from `start` to before `end`, with their lines. */
  #write(start: number, end: number): void {
    if (start === end) return
    const { buffers, buffer } = this.#options
    const lines = this.#lines.slice(start, end)
    const positions: number[] = []
    let position = this.#items.bytes
    for (const line of lines) {
      positions.push(position)
      position += line.length
    }
    this.#vectors.append(buffers.bytesOf(buffer, start, end))
    this.#items.append(Buffer.concat(lines))
    this.#offsets.append(renderOffsets(positions))
    this.items += lines.length
  }

  /** The header of vectors.npy; it has 128 bytes whatever the number of rows. */
  #renderHeader(rows: number): Uint8Array {
    return renderNpyHeader('<f4', [rows, this.#options.dimensions])
  }
}

/** Byte positions as items.idx has them: unsigned 64-bit, little-endian. */
function renderOffsets(positions: readonly number[]): Uint8Array {
  const words = new Uint32Array(positions.length * 2)
  for (const [index, position] of positions.entries()) {
    words[index * 2] = position % 2 ** 32
    words[index * 2 + 1] = Math.floor(position / 2 ** 32)
  }
  return new Uint8Array(words.buffer)
}
