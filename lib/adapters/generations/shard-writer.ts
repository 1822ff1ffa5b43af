import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { shardDirectory, shardFile } from '../../domain/manifest.ts'
import { renderNpyHeader } from '../files/npy.ts'
import { type AppendedFile, createFile } from './appended-file.ts'

const OFFSET_WORDS = 2

/** Writes the three files of a shard, row by row. */
export type ShardWriter = {
  readonly cluster: number
  readonly items: number
  add(vector: Float32Array, line: Uint8Array): void
  /** Writes what is left; the files are readable, but maybe not yet on the disk. */
  finish(): void
  /** Resolves when everything is on the disk. */
  close(): Promise<void>
}

export type ShardWriterOptions = {
  readonly directory: string
  readonly cluster: number
  readonly dimensions: number
  /** Memory for rows that wait to be written. */
  readonly bufferBytes: number
}

/** Creates the directory and the files of a shard. */
export function createShardWriter(options: ShardWriterOptions): ShardWriter {
  const { directory, cluster, dimensions } = options
  mkdirSync(join(directory, shardDirectory(cluster)))
  const open = (file: 'vectors' | 'items' | 'offsets') =>
    createFile(join(directory, shardFile(cluster, file)))
  const files = { vectors: open('vectors'), items: open('items'), offsets: open('offsets') }
  const capacity = Math.max(1, Math.floor(options.bufferBytes / (dimensions * 4)))
  const vectors = new Float32Array(capacity * dimensions)
  const offsets = new Uint32Array(capacity * OFFSET_WORDS)
  const lines = createLineBuffer(files.items, Math.ceil(options.bufferBytes / 8))
  let waiting = 0
  let items = 0

  const flush = () => {
    files.vectors.append(bytesOf(vectors.subarray(0, waiting * dimensions)))
    files.offsets.append(bytesOf(offsets.subarray(0, waiting * OFFSET_WORDS)))
    waiting = 0
  }
  const writeOffset = (at: number, position: number) => {
    offsets[at] = position % 2 ** 32
    offsets[at + 1] = Math.floor(position / 2 ** 32)
  }
  files.vectors.append(renderHeader(0, dimensions))
  return {
    cluster,
    get items() {
      return items
    },
    add(vector, line) {
      vectors.set(vector, waiting * dimensions)
      writeOffset(waiting * OFFSET_WORDS, lines.position)
      lines.add(line)
      waiting++
      items++
      if (waiting === capacity) flush()
    },
    finish() {
      flush()
      lines.flush()
      writeOffset(0, lines.position)
      files.offsets.append(bytesOf(offsets.subarray(0, OFFSET_WORDS)))
      files.vectors.patch(renderHeader(items, dimensions), 0)
    },
    async close() {
      await Promise.all([files.vectors.close(), files.items.close(), files.offsets.close()])
    },
  }
}

/** The header of vectors.npy; it has 128 bytes whatever the number of rows. */
function renderHeader(rows: number, dimensions: number): Uint8Array {
  return renderNpyHeader('<f4', [rows, dimensions])
}

function createLineBuffer(file: AppendedFile, size: number) {
  const buffer = new Uint8Array(size)
  let used = 0
  const flush = () => {
    file.append(buffer.subarray(0, used))
    used = 0
  }
  return {
    get position() {
      return file.bytes + used
    },
    add(line: Uint8Array) {
      if (used + line.length > size) flush()
      if (line.length > size) return file.append(line)
      buffer.set(line, used)
      used += line.length
    },
    flush,
  }
}

function bytesOf(values: Float32Array | Uint32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
