import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { type Manifest, shardFile } from '../../domain/manifest.ts'
import { scoringOf } from '../../domain/similarity.ts'
import { searchChosen } from '../search/chosen-rows.ts'
import { type ExactMatches, searchExact } from '../search/exact.ts'
import { mapFile } from '../search/mapped-file.ts'
import { openMatrix } from './mapped-matrix.ts'
import { openIndex, type ShardIndex } from './open-index.ts'

export type Item = { readonly id: string; readonly text?: string; readonly [member: string]: unknown }

/** An open shard: vectors in the page cache, items read when they are asked for. */
export type Shard = ShardIndex & {
  /** Row-major [items, dimensions]; read-only memory. */
  readonly vectors: Float32Array
  /** As `search`, by comparing all vectors. */
  searchAll(queries: Float32Array, k: number): ExactMatches
  /** As `searchAll`, among some rows only (ascending). */
  searchAmong(rows: Uint32Array, queries: Float32Array, k: number): ExactMatches
  readItem(row: number): Item
}

/**
 * Opens the shard of a cluster in `directory` (a generation), to be searched as its manifest says unless `isExact`. Only
 * what is cheap is compared with the manifest: sizes, and the shape that files tell of themselves; hashes are the
 * business of delivery. Raises `corrupt`.
 */
export function openShard(directory: string, manifest: Manifest, cluster: number, isExact = false): Shard {
  const declared = manifest.clusters.find(({ id }) => id === cluster)
  if (!declared) {
    throw new LongshoreError('corrupt', `${directory}: ${manifest.generation} has no cluster ${cluster}`)
  }
  const { items } = declared
  const entry = isExact ? { id: cluster, items } : declared
  const open = (path: string): string => {
    checkSize(join(directory, path), manifest, path)
    return join(directory, path)
  }
  const [vectorsPath, itemsPath, offsetsPath] = (['vectors', 'items', 'offsets'] as const).map((file) =>
    open(shardFile(cluster, file)),
  )
  const { dimensions } = manifest.model
  const space = { dimensions, metric: scoringOf(manifest.model) }
  const { values: vectors, close } = openMatrix(vectorsPath!, '<f4', [items, dimensions])
  const index = openIndex(entry, open, { vectors, space })
  const reader = openItems(itemsPath!, offsetsPath!, items)
  return {
    ...index,
    vectors,
    searchAll: (queries, k) => searchExact(vectors, queries, { ...space, k }),
    searchAmong: (rows, queries, k) => searchChosen(vectors, rows, queries, { ...space, k }),
    readItem: reader.readItem,
    close: () => {
      index.close()
      close()
      reader.close()
    },
  }
}

/** Raises `corrupt` unless the file has as many bytes as the manifest says. */
export function checkSize(path: string, manifest: Manifest, entry: string): void {
  const expected = manifest.files.find((file) => file.path === entry)?.bytes
  const found = statSync(path, { throwIfNoEntry: false })?.size
  if (found === expected) return
  const what = found === undefined ? 'is missing' : `has ${found} bytes, expected ${expected}`
  throw new LongshoreError('corrupt', `${path}: ${what}`, { hint: 'deliver the generation again' })
}

function openItems(path: string, offsetsPath: string, items: number) {
  const offsets = mapFile(offsetsPath)
  const ends = new BigUint64Array(offsets.bytes)
  if (ends.length !== items + 1) {
    throw new LongshoreError('corrupt', `${offsetsPath}: has ${ends.length} offsets, expected ${items + 1}`)
  }
  const descriptor = openSync(path, 'r')
  return {
    readItem: (row: number) =>
      readLine(descriptor, Number(ends[row]), Number(ends[row + 1]), `${path}:${row + 1}`),
    close: () => {
      closeSync(descriptor)
      offsets.unmap()
    },
  }
}

function readLine(descriptor: number, start: number, end: number, where: string): Item {
  const line = Buffer.allocUnsafe(Math.max(0, end - start))
  readSync(descriptor, line, 0, line.length, start)
  try {
    return JSON.parse(line.toString('utf8')) as Item
  } catch (error) {
    throw new LongshoreError('corrupt', `${where}: is no JSON`, { cause: error })
  }
}
