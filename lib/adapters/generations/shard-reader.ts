import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import { shardFile } from '../../domain/manifest.ts'

/** Where the data of vectors.npy begin: its header takes 128 bytes, however many rows it tells of. */
export const VECTORS_START = 128
const OFFSET_BYTES = 8

export type StoredItem = { readonly id: string; readonly text?: string }

/** Reads single rows of a generation's shards, by the position of the shard and the row's own. */
export type ShardReader = {
  readVector(shard: number, row: number): Float32Array
  /** The bytes of an item's line, with its line feed. */
  readLine(shard: number, row: number): Buffer
  /** Raises `corrupt` where the line is no item. */
  readItem(shard: number, row: number): StoredItem
  close(): void
}

/** A reader of the shards of `clusters`; files are opened when a row of them is asked for. */
export function openShards(
  directory: string,
  clusters: readonly { readonly id: number }[],
  dimensions: number,
): ShardReader {
  const descriptors = new Map<string, number>()
  const read = (path: string, position: number, length: number): Buffer => {
    const file = join(directory, path)
    const descriptor = descriptors.get(path) ?? openSync(file, 'r')
    descriptors.set(path, descriptor)
    const bytes = Buffer.allocUnsafeSlow(length)
    if (readSync(descriptor, bytes, 0, length, position) === length) return bytes
    throw new LongshoreError('corrupt', `${file}: ends before byte ${position + length}`)
  }
  const readLine = (shard: number, row: number): Buffer => {
    const { id } = clusters[shard]!
    const offsets = read(shardFile(id, 'offsets'), row * OFFSET_BYTES, 2 * OFFSET_BYTES)
    const start = Number(offsets.readBigUInt64LE(0))
    return read(shardFile(id, 'items'), start, Number(offsets.readBigUInt64LE(OFFSET_BYTES)) - start)
  }
  return {
    readLine,
    readVector(shard, row) {
      const path = shardFile(clusters[shard]!.id, 'vectors')
      const bytes = read(path, VECTORS_START + row * dimensions * 4, dimensions * 4)
      return new Float32Array(bytes.buffer)
    },
    readItem(shard, row) {
      const where = `${join(directory, shardFile(clusters[shard]!.id, 'items'))}:${row + 1}`
      return parseItem(readLine(shard, row).toString(), where)
    },
    close() {
      for (const descriptor of descriptors.values()) closeSync(descriptor)
    },
  }
}

function parseItem(line: string, where: string): StoredItem {
  try {
    return JSON.parse(line) as StoredItem
  } catch (error) {
    throw new LongshoreError('corrupt', `${where}: ${messageOf(error)}`, { cause: error })
  }
}
