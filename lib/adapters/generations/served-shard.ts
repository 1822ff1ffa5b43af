import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { type Manifest, shardFile } from '../../domain/manifest.ts'
import { parseNpyHeader } from '../files/npy.ts'
import { type MappedFile, mapFile } from '../search/mapped-file.ts'

export type Item = { readonly id: string; readonly text?: string; readonly [member: string]: unknown }

/** An open shard: vectors in the page cache, items read when they are asked for. */
export type Shard = {
  /** Row-major [items, dimensions]; read-only memory. */
  readonly vectors: Float32Array
  readItem(row: number): Item
  close(): void
}

/**
 * Opens the shard of a cluster in `directory` (a generation). Only what is cheap is compared with the manifest: sizes,
 * and the shape that vectors.npy tells of itself; hashes are the business of delivery. Raises `corrupt`.
 */
export function openShard(directory: string, manifest: Manifest, cluster: number): Shard {
  const items = manifest.clusters.find(({ id }) => id === cluster)?.items
  if (items === undefined) {
    throw new LongshoreError('corrupt', `${directory}: ${manifest.generation} has no cluster ${cluster}`)
  }
  const pathOf = (file: Parameters<typeof shardFile>[1]) => join(directory, shardFile(cluster, file))
  for (const file of ['vectors', 'items', 'offsets'] as const) {
    checkSize(pathOf(file), manifest, shardFile(cluster, file))
  }
  const vectors = mapFile(pathOf('vectors'))
  const values = viewVectors(vectors, pathOf('vectors'), [items, manifest.model.dimensions])
  const offsets = mapFile(pathOf('offsets'))
  const ends = new BigUint64Array(offsets.bytes)
  if (ends.length !== items + 1) {
    throw new LongshoreError(
      'corrupt',
      `${pathOf('offsets')}: has ${ends.length} offsets, expected ${items + 1}`,
    )
  }
  const descriptor = openSync(pathOf('items'), 'r')
  return {
    vectors: values,
    readItem: (row) =>
      readLine(descriptor, Number(ends[row]), Number(ends[row + 1]), `${pathOf('items')}:${row + 1}`),
    close: () => {
      closeSync(descriptor)
      vectors.unmap()
      offsets.unmap()
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

function viewVectors(file: MappedFile, path: string, shape: readonly [number, number]): Float32Array {
  const header = parseNpyHeader(new Uint8Array(file.bytes, 0, Math.min(file.bytes.byteLength, 65_536)), path)
  const found = `${header.descr} ${header.fortranOrder ? 'Fortran' : 'C'} [${header.shape.join(', ')}]`
  const expected = `<f4 C [${shape.join(', ')}]`
  const length = shape[0] * shape[1]
  if (
    found !== expected ||
    file.bytes.byteLength !== header.dataOffset + length * 4 ||
    header.dataOffset % 4
  ) {
    throw new LongshoreError('corrupt', `${path}: holds ${found}, expected ${expected}`)
  }
  return length === 0 ? new Float32Array(0) : new Float32Array(file.from(header.dataOffset))
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
