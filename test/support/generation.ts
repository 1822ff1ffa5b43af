import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { renderNpyHeader } from '../../lib/adapters/files/npy.ts'
import { BlockScorer } from '../../lib/adapters/search/block-scorer.ts'
import { quantise, scaleFor } from '../../lib/adapters/search/codes.ts'
import { searchExact } from '../../lib/adapters/search/exact.ts'
import { buildGraph } from '../../lib/adapters/search/graph.ts'
import { orderClusters } from '../../lib/domain/clusters.ts'
import type { GenerationRef } from '../../lib/domain/generation.ts'
import { GOLDEN_K, type GoldenHit, renderGolden } from '../../lib/domain/golden.ts'
import { trainClusters } from '../../lib/domain/kmeans.ts'
import { embedLexical } from '../../lib/domain/lexical.ts'
import {
  CENTROIDS_FILE,
  type FileEntry,
  GOLDEN_FILE,
  type Manifest,
  type ShardEntry,
  searchFile,
  shardFile,
} from '../../lib/domain/manifest.ts'
import { fingerprintOf, type Model } from '../../lib/domain/model.ts'
import { chooseNprobe } from '../../lib/domain/quality.ts'
import { measureRecall, NEIGHBOURS_KEPT } from '../../lib/domain/recall.ts'
import type { ShardKind, ShardSearch } from '../../lib/domain/shard-search.ts'
import { scoringOf } from '../../lib/domain/similarity.ts'
import { idOf } from '../../lib/domain/text-hash.ts'
import { makeQuestions } from './questions.ts'
import { writeSignedManifest } from './signed-manifest.ts'
import { makeTempDir } from './temp.ts'

export type GenerationOptions = {
  readonly name?: string
  /** Texts of the items, all different; 120 questions by default. */
  readonly texts?: readonly string[]
  readonly clusters?: number
  readonly dimensions?: number
  readonly model?: Model
  readonly parent?: GenerationRef
  readonly goldenPairs?: readonly { readonly query: string; readonly id: string }[]
  /** Further members of the item of each text. */
  readonly payload?: (index: number) => Readonly<Record<string, unknown>>
  /** How every shard is searched; exactly by default. */
  readonly search?: ShardKind
}

const GOLDEN_QUERIES = 30
const RECALL_TARGET = 0.95

/** The built-in model as a profile with these dimensions declares it. */
export function makeModel(dimensions: number): Model {
  const declared = {
    name: 'lexical-hash',
    version: '1',
    dimensions,
    metric: 'cosine',
    normalized: true,
  } as const
  return { ...declared, fingerprint: fingerprintOf(declared) }
}

/** Writes a small sound generation to `<directory>/<name>`, embedded by the built-in model. */
export async function makeGeneration(directory: string, options: GenerationOptions = {}): Promise<Manifest> {
  const { name = 'dg_1', clusters = 3 } = options
  const model = options.model ?? makeModel(options.dimensions ?? 64)
  const { dimensions, metric } = model
  const texts = options.texts ?? makeQuestions(name, 120).map(({ text }) => text)
  const vectors = embedLexical(texts, dimensions)
  const centroids = trainClusters(vectors, {
    clusters,
    dimensions,
    metric,
    seed: 1,
    createScorer: (vectors, length) => new BlockScorer(vectors, length),
  })
  const rowOf = (row: number) => vectors.subarray(row * dimensions, (row + 1) * dimensions)
  const homes = texts.map((_, row) => orderClusters(rowOf(row), centroids, metric)[0]!)

  const sampled = texts
    .map((_, row) => row)
    .filter((row) => row % Math.ceil(texts.length / GOLDEN_QUERIES) === 0)
  const neighbours = sampled.map((row): GoldenHit[] => {
    const { rows, scores } = searchExact(vectors, rowOf(row), { dimensions, metric, k: NEIGHBOURS_KEPT })
    return [...rows].map((hit, rank) => ({
      id: idOf(texts[hit]!),
      cluster: homes[hit]!,
      score: scores[rank]!,
    }))
  })
  const measured = measureRecall(
    sampled.map((row, index) => ({ id: idOf(texts[row]!), found: neighbours[index]! })),
    sampled.map((row) => orderClusters(rowOf(row), centroids, metric)),
  )
  const golden = renderGolden({
    k: GOLDEN_K,
    queries: sampled.map((row, index) => ({
      id: idOf(texts[row]!),
      text: texts[row]!,
      vector: [...rowOf(row)],
      hits: neighbours[index]!.slice(0, GOLDEN_K),
    })),
    pairs: options.goldenPairs ?? [],
  })

  const entries: ShardEntry[] = []
  const contents = new Map<string, Uint8Array>([
    [CENTROIDS_FILE, renderNpy(centroids, [clusters, dimensions])],
    [GOLDEN_FILE, Buffer.from(golden)],
  ])
  for (let cluster = 0; cluster < clusters; cluster++) {
    const rows = [...homes.keys()].filter((row) => homes[row] === cluster)
    const lines = rows.map(
      (row) => `${JSON.stringify({ id: idOf(texts[row]!), text: texts[row]!, ...options.payload?.(row) })}\n`,
    )
    const shard = Float32Array.from(rows.flatMap((row) => [...rowOf(row)]))
    contents.set(shardFile(cluster, 'vectors'), renderNpy(shard, [rows.length, dimensions]))
    contents.set(shardFile(cluster, 'items'), Buffer.from(lines.join('')))
    contents.set(shardFile(cluster, 'offsets'), renderOffsets(lines))
    const index = makeIndex(options.search, shard, model)
    const entry = { id: cluster, items: rows.length, ...(index && { search: index.search }) }
    if (index) contents.set(searchFile(entry)!, index.bytes)
    entries.push(entry)
  }
  const files = await writeFiles(join(directory, name), contents)
  const routing = { nprobe: chooseNprobe(measured, RECALL_TARGET), recallTarget: RECALL_TARGET, measured }
  const parent = options.parent ?? null
  return writeSignedManifest(join(directory, name), {
    generation: name,
    clusters: entries,
    parent,
    model,
    routing,
    files,
  })
}

/** The file that a kind of search needs, and what the manifest says of it. */
function makeIndex(
  kind: ShardKind | undefined,
  vectors: Float32Array,
  model: Model,
): { search: ShardSearch; bytes: Uint8Array } | undefined {
  const { dimensions } = model
  if (kind === 'hnsw') {
    const path = join(makeTempDir(), 'index.usearch')
    buildGraph(vectors, { dimensions, metric: scoringOf(model) }, path)
    return { search: { kind, expansion: 64, recall: 0.99 }, bytes: readFileSync(path) }
  }
  if (kind !== 'exact-i8') return undefined
  const scale = scaleFor(vectors)
  const codes = new Int8Array(vectors.length)
  quantise(vectors, scale, codes)
  const bytes = Buffer.concat([
    renderNpyHeader('|i1', [codes.length / dimensions, dimensions]),
    new Uint8Array(codes.buffer),
  ])
  return { search: { kind, scale, candidates: 20, recall: 1 }, bytes }
}

function renderNpy(values: Float32Array, shape: readonly number[]): Uint8Array {
  return Buffer.concat([
    renderNpyHeader('<f4', shape),
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  ])
}

/** Byte offsets of the lines, and the end of the last one. */
function renderOffsets(lines: readonly string[]): Uint8Array {
  let end = 0n
  const offsets = lines.map((line) => (end += BigInt(Buffer.byteLength(line))))
  return new Uint8Array(BigUint64Array.from([0n, ...offsets]).buffer)
}

async function writeFiles(directory: string, files: ReadonlyMap<string, Uint8Array>): Promise<FileEntry[]> {
  const entries: FileEntry[] = []
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), bytes)
    entries.push({ path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })
  }
  return entries
}
