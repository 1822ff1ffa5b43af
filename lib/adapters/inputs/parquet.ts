import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from 'hyparquet'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { Input, RowBatch } from '../../ports/input.ts'
import { BatchBuilder } from './batch.ts'
import { copyNumbers } from './jsonl.ts'
import { observeFiles } from './source-files.ts'
import { toItem } from './source-item.ts'

/** Snappy is the reader's own; Node.js has the others. */
const COMPRESSORS: Compressors = {
  GZIP: (input) => gunzipSync(input),
  ZSTD: (input) => zstdDecompressSync(input),
  BROTLI: (input) => brotliDecompressSync(input),
}

/** A row group is decoded at once, so its size bounds the memory that reading takes. */
const MOST_GROUP_BYTES = 512 * 1024 * 1024

/**
 * Opens a Parquet file with the columns `id`, `text`, `embedding` (a list of floats) and metadata; without
 * `embedding`: texts only. Raises `corrupt` naming the file.
 */
export async function openParquet(path: string): Promise<Input> {
  const files = observeFiles([path])
  const [file, metadata] = await refuseDamage(path, async () => {
    const opened = await asyncBufferFromFile(path)
    return [opened, await parquetMetadataAsync(opened)] as const
  })
  const large = metadata.row_groups.findIndex(({ total_byte_size }) => total_byte_size > MOST_GROUP_BYTES)
  if (large >= 0) {
    throw new LongshoreError(
      'usage',
      `${path}: row group ${large} is larger than ${MOST_GROUP_BYTES} bytes`,
      {
        hint: 'write the file with smaller row groups, for example row_group_size=50000',
      },
    )
  }
  const dimensions = await readDimensions(path, file, metadata)
  return new ParquetInput({ path, file, metadata, files, dimensions })
}

type Opened = {
  readonly path: string
  readonly file: AsyncBuffer
  readonly metadata: FileMetaData
  readonly files: Input['files']
  readonly dimensions: number | null
}

class ParquetInput implements Input {
  readonly kind = 'Parquet'
  readonly files: Input['files']
  readonly rows: number
  readonly dimensions: number | null
  readonly clusters = null
  readonly #opened: Opened

  constructor(opened: Opened) {
    this.#opened = opened
    this.files = opened.files
    this.dimensions = opened.dimensions
    this.rows = Number(opened.metadata.num_rows)
  }

  async *read(signal: AbortSignal): AsyncIterable<RowBatch> {
    const { path, file, metadata } = this.#opened
    const builder = new BatchBuilder(this.dimensions, { hasClusters: false })
    let row = 0
    for (const group of metadata.row_groups) {
      signal.throwIfAborted()
      const range = { compressors: COMPRESSORS, rowStart: row, rowEnd: row + Number(group.num_rows) }
      const found = await refuseDamage(path, () => parquetReadObjects({ file, metadata, ...range }))
      for (const members of found) {
        const reason = this.#addRow(members, builder)
        if (reason) builder.reject(row, reason)
        row++
        if (builder.isFull) yield await builder.take(signal)
      }
    }
    if (!builder.isEmpty) yield await builder.take(signal)
  }

  #addRow({ embedding, ...others }: Record<string, unknown>, builder: BatchBuilder): string | undefined {
    const { item, reason } = toItem(toPlain(others) as Record<string, unknown>)
    if (!item) return reason
    if (this.dimensions !== null) {
      const problem = copyNumbers(embedding, this.dimensions, builder.target, builder.targetAt)
      if (problem) return problem
    }
    builder.add(item)
    return undefined
  }
}

async function readDimensions(
  path: string,
  file: AsyncBuffer,
  metadata: FileMetaData,
): Promise<number | null> {
  if (!metadata.schema.some(({ name }) => name === 'embedding')) return null
  const range = { compressors: COMPRESSORS, useOffsetIndex: true, rowStart: 0, rowEnd: 1 }
  const read = { file, metadata, columns: ['embedding'], ...range }
  const [first] = await refuseDamage(path, () => parquetReadObjects(read))
  const length = (first?.embedding as ArrayLike<number> | null | undefined)?.length
  if (length) return length
  throw new LongshoreError('corrupt', `${path}: the first row has no embedding`)
}

/** Values as JSON knows them: whole numbers that it cannot hold become their decimals, times their ISO form. */
function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : String(value)
  }
  if (value === null || typeof value !== 'object' || value instanceof Date) return value
  if (Array.isArray(value) || ArrayBuffer.isView(value))
    return Array.from(value as ArrayLike<unknown>, toPlain)
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toPlain(member)]))
}

async function refuseDamage<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw new LongshoreError('corrupt', `${path}: cannot be read as Parquet (${messageOf(error)})`, {
      hint: 'expected a sound file, plain or compressed by Snappy, GZIP, ZSTD or Brotli',
      cause: error,
    })
  }
}
