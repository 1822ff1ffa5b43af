import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderNpyHeader } from '../../lib/adapters/files/npy.ts'
import { quantise, scaleFor } from '../../lib/adapters/search/codes.ts'
import { buildGraph } from '../../lib/adapters/search/graph.ts'
import {
  expectedPaths,
  type Manifest,
  type ShardEntry,
  searchFile,
  shardDirectory,
  shardFile,
} from '../../lib/domain/manifest.ts'
import type { ShardSearch } from '../../lib/domain/shard-search.ts'
import { scoringOf } from '../../lib/domain/similarity.ts'
import { makeModel } from './generation.ts'
import { clusteredRows } from './rows.ts'
import { writeSignedManifest } from './signed-manifest.ts'

export type LargeShard = {
  readonly rows: number
  readonly dimensions: number
  readonly kind?: 'exact-i8' | 'hnsw'
  /** Another one gives other vectors. */
  readonly seed?: number
}

/** Writes a generation that only an index service can use: one cluster, without centroids and golden queries. */
export function makeLargeShard(
  directory: string,
  name: string,
  { rows, dimensions, kind = 'exact-i8', seed = 1 }: LargeShard,
): Manifest {
  const vectors = clusteredRows(rows, { dimensions, seed })
  const lines = Array.from({ length: rows }, (_, row) => `{"id":"i${row}"}\n`)
  let end = 0n
  const offsets = BigUint64Array.from([0n, ...lines.map((line) => (end += BigInt(line.length)))])
  const entry: ShardEntry = { id: 0, items: rows, search: chooseSearch(vectors, kind) }
  const header = renderNpyHeader('<f4', [rows, dimensions])
  const files = new Map<string, Uint8Array>([
    [shardFile(0, 'vectors'), Buffer.concat([header, new Uint8Array(vectors.buffer)])],
    [shardFile(0, 'items'), Buffer.from(lines.join(''))],
    [shardFile(0, 'offsets'), new Uint8Array(offsets.buffer)],
  ])
  mkdirSync(join(directory, name, shardDirectory(0)), { recursive: true })
  for (const [path, bytes] of files) writeFileSync(join(directory, name, path), bytes)
  writeSearchFile(join(directory, name, searchFile(entry)!), vectors, { dimensions, search: entry.search! })
  const bytesOf = (path: string) =>
    statSync(join(directory, name, path), { throwIfNoEntry: false })?.size ?? 0
  return writeSignedManifest(join(directory, name), {
    generation: name,
    model: makeModel(dimensions),
    clusters: [entry],
    files: expectedPaths([entry]).map((path) => ({ path, bytes: bytesOf(path), sha256: '0'.repeat(64) })),
  })
}

function chooseSearch(vectors: Float32Array, kind: 'exact-i8' | 'hnsw'): ShardSearch {
  if (kind === 'hnsw') return { kind, expansion: 64, recall: 1 }
  return { kind, scale: scaleFor(vectors), candidates: 20, recall: 1 }
}

function writeSearchFile(
  path: string,
  vectors: Float32Array,
  { dimensions, search }: { readonly dimensions: number; readonly search: ShardSearch },
): void {
  if (search.kind === 'hnsw')
    buildGraph(vectors, { dimensions, metric: scoringOf(makeModel(dimensions)) }, path)
  if (search.kind !== 'exact-i8') return
  const codes = new Int8Array(vectors.length)
  quantise(vectors, search.scale, codes)
  const header = renderNpyHeader('|i1', [vectors.length / dimensions, dimensions])
  writeFileSync(path, Buffer.concat([header, new Uint8Array(codes.buffer)]))
}
