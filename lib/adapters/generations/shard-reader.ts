import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import { shardFile } from '../../domain/manifest.ts'
import { parseNpyHeader } from '../files/npy.ts'

type Item = { readonly id: string; readonly text?: string }

/** The shards of a generation, to look up single rows by the position of their cluster and their own. */
export type ShardReader = {
  readItem(shard: number, row: number): Item
  readVector(shard: number, row: number): Float32Array
  close(): void
}

type Shard = {
  readonly items: number
  readonly offsets: number
  readonly vectors: number
  readonly dataOffset: number
  readonly path: string
}

const HEADER_BYTES = 128

/** Opens the shards of `clusters` in `directory` for single look-ups. Raises `corrupt` where a row cannot be read. */
export function openShards(
  directory: string,
  clusters: readonly { readonly id: number }[],
  dimensions: number,
): ShardReader {
  const shards = clusters.map(({ id }): Shard => {
    const path = join(directory, shardFile(id, 'items'))
    const vectorsPath = join(directory, shardFile(id, 'vectors'))
    const vectors = openSync(vectorsPath, 'r')
    const { dataOffset } = parseNpyHeader(readBytes(vectors, 0, HEADER_BYTES, vectorsPath), vectorsPath)
    const offsets = openSync(join(directory, shardFile(id, 'offsets')), 'r')
    return { items: openSync(path, 'r'), offsets, vectors, dataOffset, path }
  })
  return {
    readItem(shard, row) {
      const { items, offsets, path } = shards[shard]!
      const where = `${path}:${row + 1}`
      const pair = readBytes(offsets, row * 8, 16, where)
      const start = Number(pair.readBigUInt64LE(0))
      const end = Number(pair.readBigUInt64LE(8))
      try {
        return JSON.parse(readBytes(items, start, Math.max(0, end - start), where).toString('utf8')) as Item
      } catch (error) {
        throw new LongshoreError('corrupt', `${where}: ${messageOf(error)}`, { cause: error })
      }
    },
    readVector(shard, row) {
      const { vectors, dataOffset, path } = shards[shard]!
      const bytes = readBytes(vectors, dataOffset + row * dimensions * 4, dimensions * 4, path)
      return new Float32Array(Uint8Array.from(bytes).buffer)
    },
    close() {
      for (const { items, offsets, vectors } of shards) {
        for (const descriptor of [items, offsets, vectors]) closeSync(descriptor)
      }
    },
  }
}

function readBytes(descriptor: number, start: number, length: number, where: string): Buffer {
  const bytes = Buffer.alloc(length)
  const read = readSync(descriptor, bytes, 0, length, start)
  if (read !== length) throw new LongshoreError('corrupt', `${where}: ends too early`)
  return bytes
}
