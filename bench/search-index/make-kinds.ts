import { closeSync, linkSync, mkdirSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { renderNpyHeader } from '../../lib/adapters/files/npy.ts'
import { openMatrix } from '../../lib/adapters/generations/mapped-matrix.ts'
import { quantise, scaleFor } from '../../lib/adapters/search/codes.ts'
import { buildGraph } from '../../lib/adapters/search/graph.ts'
import {
  computeDigest,
  MANIFEST_FILE,
  type Manifest,
  SHARD_FILES,
  searchFile,
  shardDirectory,
  shardFile,
} from '../../lib/domain/manifest.ts'
import type { ShardSearch } from '../../lib/domain/shard-search.ts'

export const CANDIDATES = 40
const BLOCK_ROWS = 4096

/** A generation with the same shard, searched by quantised vectors. */
export function addQuantised(directory: string, exact: Manifest): Manifest {
  const { dimensions } = exact.model
  return useVectors(directory, exact, (vectors) => {
    const scale = scaleFor(vectors)
    const search: ShardSearch = { kind: 'exact-i8', scale, candidates: CANDIDATES, recall: 1 }
    const write = (path: string) => writeCodes(path, vectors, { dimensions, scale })
    return addKind({ directory, exact, generation: 'dg_2', search }, write)
  })
}

/** A generation with the same shard, searched along a graph. */
export function addGraph(directory: string, exact: Manifest, expansion: number): Manifest {
  const { dimensions } = exact.model
  return useVectors(directory, exact, (vectors) => {
    const write = (path: string) => buildGraph(vectors, { dimensions, metric: 'dot' }, path)
    const search: ShardSearch = { kind: 'hnsw', expansion, recall: 1 }
    return addKind({ directory, exact, generation: 'dg_3', search }, write)
  })
}

function useVectors<T>(
  directory: string,
  { generation, clusters, model }: Manifest,
  use: (vectors: Float32Array) => T,
): T {
  const path = join(directory, generation, shardFile(0, 'vectors'))
  const { values, close } = openMatrix(path, '<f4', [clusters[0]!.items, model.dimensions])
  try {
    return use(values)
  } finally {
    close()
  }
}

type Addition = {
  readonly directory: string
  readonly exact: Manifest
  readonly generation: string
  readonly search: ShardSearch
}

function addKind(
  { directory, exact, generation, search }: Addition,
  write: (path: string) => void,
): Manifest {
  const { digest: _digest, ...rest } = exact
  const entry = { ...exact.clusters[0]!, search }
  linkShard(join(directory, exact.generation), join(directory, generation))
  const path = searchFile(entry)!
  write(join(directory, generation, path))
  const { size: bytes } = statSync(join(directory, generation, path))
  const files = [...exact.files, { path, bytes, sha256: '0'.repeat(64) }]
  return sign(directory, { ...rest, generation, clusters: [entry], files })
}

/** The manifest with its digest, written where its generation lies. */
export function sign(directory: string, unsigned: Omit<Manifest, 'digest'>): Manifest {
  const manifest = { ...unsigned, digest: computeDigest(unsigned) }
  writeFileSync(join(directory, manifest.generation, MANIFEST_FILE), JSON.stringify(manifest))
  return manifest
}

/** The same files under another generation. */
function linkShard(from: string, to: string): void {
  mkdirSync(join(to, shardDirectory(0)), { recursive: true })
  for (const file of Object.keys(SHARD_FILES) as (keyof typeof SHARD_FILES)[]) {
    linkSync(join(from, shardFile(0, file)), join(to, shardFile(0, file)))
  }
}

function writeCodes(
  path: string,
  vectors: Float32Array,
  { dimensions, scale }: { readonly dimensions: number; readonly scale: number },
): void {
  const file = openSync(path, 'w')
  writeSync(file, renderNpyHeader('|i1', [vectors.length / dimensions, dimensions]))
  for (let at = 0; at < vectors.length; at += BLOCK_ROWS * dimensions) {
    const part = vectors.subarray(at, at + BLOCK_ROWS * dimensions)
    const codes = new Int8Array(part.length)
    quantise(part, scale, codes)
    writeSync(file, new Uint8Array(codes.buffer))
  }
  closeSync(file)
}
