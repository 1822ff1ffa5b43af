import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type SHARD_FILES, shardDirectory, shardFile } from '../../domain/manifest.ts'
import type { PreparedRows } from '../../ports/generation-writer.ts'
import { renderNpyHeader } from '../files/npy.ts'
import type { RowBuffers } from '../search/row-buffers.ts'
import { AppendedFile } from './appended-file.ts'
import { renderOffsets } from './item-offsets.ts'
import { WaitingLines } from './waiting-lines.ts'

const FLOAT_BYTES = 4

export type ShardWriterOptions = {
  readonly directory: string
  readonly cluster: number
  readonly dimensions: number
  /** Where rows wait to be written, and which of the buffers is this shard's. */
  readonly buffers: RowBuffers
  readonly buffer: number
  /** Hears the lines of rows that are not finite; these are not written. */
  readonly reject: (line: Uint8Array) => void
}

/** Rows of which some are added: their embeddings as bytes, and their items. */
export type AddedRows = Pick<PreparedRows, 'items'> & { readonly vectors: Buffer }

/** Writes the three files of a shard, row by row. */
export class ShardWriter {
  readonly cluster: number
  items = 0
  readonly #options: ShardWriterOptions
  readonly #vectors: AppendedFile
  readonly #items: AppendedFile
  readonly #offsets: AppendedFile
  /** Lines of the rows that wait. */
  readonly #lines: WaitingLines

  /** Creates the shard's directory and files. */
  constructor(options: ShardWriterOptions) {
    const { directory, cluster } = options
    mkdirSync(join(directory, shardDirectory(cluster)))
    const locate = (file: keyof typeof SHARD_FILES) => join(directory, shardFile(cluster, file))
    this.cluster = cluster
    this.#options = options
    this.#lines = new WaitingLines(options.buffers.capacity)
    this.#vectors = new AppendedFile(locate('vectors'))
    this.#items = new AppendedFile(locate('items'))
    this.#offsets = new AppendedFile(locate('offsets'))
    this.#vectors.append(this.#renderHeader(0))
    this.#offsets.append(renderOffsets(1, () => 0))
  }

  /** Adds one of many rows. */
  add({ vectors, items }: AddedRows, row: number): void {
    const { buffers, buffer, dimensions } = this.#options
    buffers.put(buffer, this.#lines.count, vectors, row * dimensions * FLOAT_BYTES)
    this.#lines.add(items, row)
    if (this.#lines.count === buffers.capacity) this.#flush()
  }

  /**
   * Writes what is left, and how many rows there are; the files are readable, but maybe not yet on the disk. More rows may
   * be added, and finished, afterwards.
   */
  finish(): void {
    this.#flush()
    this.#vectors.patch(this.#renderHeader(this.items), 0)
  }

  /** Resolves when everything is on the disk. */
  async close(): Promise<void> {
    await Promise.all([this.#vectors, this.#items, this.#offsets].map((file) => file.close()))
  }

  #flush(): void {
    const { buffers, buffer, reject } = this.#options
    const { count } = this.#lines
    const norms = buffers.squaredNorms(buffer, count)
    let start = 0
    for (let row = 0; row < count; row++) {
      if (Number.isFinite(norms[row])) continue
      reject(this.#lines.bytesOf(row, row + 1))
      this.#write(start, row)
      start = row + 1
    }
    this.#write(start, count)
    this.#lines.clear()
  }

  /** Writes waiting rows from `first` to before `last`, with their lines. */
  #write(first: number, last: number): void {
    if (first === last) return
    const { buffers, buffer } = this.#options
    const shift = this.#items.bytes - this.#lines.startOf(first)
    const endOf = (index: number) => shift + this.#lines.startOf(first + index + 1)
    this.#vectors.append(buffers.bytesOf(buffer, first, last))
    this.#items.append(this.#lines.bytesOf(first, last))
    this.#offsets.append(renderOffsets(last - first, endOf))
    this.items += last - first
  }

  /** The header of vectors.npy; it has 128 bytes whatever the number of rows. */
  #renderHeader(rows: number): Uint8Array {
    return renderNpyHeader('<f4', [rows, this.#options.dimensions])
  }
}
