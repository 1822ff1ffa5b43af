import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderNpyHeader } from '../../lib/adapters/files/npy.ts'
import { quantise, scaleFor } from '../../lib/adapters/search/codes.ts'
import {
  expectedPaths,
  type Manifest,
  type ShardEntry,
  searchFile,
  shardDirectory,
  shardFile,
} from '../../lib/domain/manifest.ts'
import { makeModel } from './generation.ts'
import { writeSignedManifest } from './signed-manifest.ts'

/**
 * Writes a generation that only an index service can use: one cluster of `rows` vectors, searched by exact-i8, without
 * centroids and golden queries.
 */
export function makeLargeShard(
  directory: string,
  name: string,
  { rows, dimensions }: { readonly rows: number; readonly dimensions: number },
): Manifest {
  const vectors = Float32Array.from(
    { length: rows * dimensions },
    (_, at) => (Math.imul(at, 40503) >>> 16) / 2 ** 16,
  )
  const codes = new Int8Array(vectors.length)
  const scale = scaleFor(vectors)
  quantise(vectors, scale, codes)
  const lines = Array.from({ length: rows }, (_, row) => `{"id":"i${row}"}\n`)
  let end = 0n
  const offsets = BigUint64Array.from([0n, ...lines.map((line) => (end += BigInt(line.length)))])
  const entry: ShardEntry = {
    id: 0,
    items: rows,
    search: { kind: 'exact-i8', scale, candidates: 20, recall: 1 },
  }
  const shape = [rows, dimensions]
  const files = new Map<string, Uint8Array>([
    [shardFile(0, 'vectors'), Buffer.concat([renderNpyHeader('<f4', shape), new Uint8Array(vectors.buffer)])],
    [searchFile(entry)!, Buffer.concat([renderNpyHeader('|i1', shape), new Uint8Array(codes.buffer)])],
    [shardFile(0, 'items'), Buffer.from(lines.join(''))],
    [shardFile(0, 'offsets'), new Uint8Array(offsets.buffer)],
  ])
  mkdirSync(join(directory, name, shardDirectory(0)), { recursive: true })
  for (const [path, bytes] of files) writeFileSync(join(directory, name, path), bytes)
  const bytesOf = (path: string) => (files.has(path) ? statSync(join(directory, name, path)).size : 0)
  return writeSignedManifest(join(directory, name), {
    generation: name,
    model: makeModel(dimensions),
    clusters: [entry],
    files: expectedPaths([entry]).map((path) => ({ path, bytes: bytesOf(path), sha256: '0'.repeat(64) })),
  })
}
