import { BRIDGE_FILE, type Bridge } from './bridge.ts'
import { digestOf, type Json } from './canonical-json.ts'
import type { GenerationRef } from './generation.ts'
import type { Model } from './model.ts'
import { SEARCH_FILES, type ShardSearch } from './shard-search.ts'

export const MANIFEST_FORMAT = 'longshore-generation/1'
export const MANIFEST_FILE = 'manifest.json'
export const CENTROIDS_FILE = 'centroids.npy'
export const GOLDEN_FILE = 'golden.json'
/** The files of every shard, below `clust_K/`. */
export const SHARD_FILES = { vectors: 'vectors.npy', items: 'items.jsonl', offsets: 'items.idx' } as const

export type FileEntry = { readonly path: string; readonly bytes: number; readonly sha256: string }

/** One shard; its directory is `clust_<id>`. */
export type ShardSize = {
  readonly id: number
  /** Rows of its files. */
  readonly items: number
  /** How many of these, the last ones, are copies of items of other shards that are near to this centroid too. */
  readonly copies?: number
}

export type ShardEntry = ShardSize & { readonly search?: ShardSearch }

/** Recall@10 against exact search when the nearest `nprobe` clusters are asked, both measured on the golden queries. */
export type RecallPoint = { readonly nprobe: number; readonly recall: number }

export type Routing = {
  readonly nprobe: number
  readonly recallTarget: number
  readonly measured: readonly RecallPoint[]
}

/** The only authority on what a generation contains. */
export type Manifest = {
  readonly format: typeof MANIFEST_FORMAT
  readonly generation: string
  /** Who it belongs to, where fleets of several parties exchange generations. */
  readonly owner?: string
  /** The generation that this one was compared with, null for the first. */
  readonly parent: GenerationRef | null
  readonly model: Model
  /** How queries of another model search it; left out where they are of its own. */
  readonly bridge?: Bridge
  /** In the order of the rows of centroids.npy. */
  readonly clusters: readonly ShardEntry[]
  readonly routing: Routing
  /** Least score of a hit for queries that name none; left out where every item is one. */
  readonly threshold?: number
  /** Measured value of every gate, by the gate's name. */
  readonly quality: { readonly [gate: string]: number }
  readonly createdAt: string
  /** What it was split from: kind of input, its files, and the digest of the settings that shaped the result. */
  readonly source: {
    readonly kind: string
    readonly files: readonly { readonly path: string; readonly bytes: number; readonly modifiedMs: number }[]
    readonly settings: string
  }
  readonly files: readonly FileEntry[]
  readonly digest: string
}

export function shardDirectory(cluster: number): string {
  return `clust_${cluster}`
}

export function shardFile(cluster: number, file: keyof typeof SHARD_FILES): string {
  return `${shardDirectory(cluster)}/${SHARD_FILES[file]}`
}

/** The path of the file that a shard's kind of search needs besides its vectors. */
export function searchFile({ id, search }: ShardEntry): string | undefined {
  const name = SEARCH_FILES[search?.kind ?? 'exact']
  return name && `${shardDirectory(id)}/${name}`
}

/** The rows of a shard that are no copies; they come first. */
export function countOwn({ items, copies = 0 }: ShardSize): number {
  return items - copies
}

/** The items of a generation, each of them once. */
export function countItems({ clusters }: { readonly clusters: readonly ShardSize[] }): number {
  return clusters.reduce((sum, cluster) => sum + countOwn(cluster), 0)
}

export function countBytes(manifest: Pick<Manifest, 'files'>): number {
  return manifest.files.reduce((sum, file) => sum + file.bytes, 0)
}

export function refOf(manifest: Manifest): GenerationRef {
  return { name: manifest.generation, digest: manifest.digest }
}

/** The identity of a generation. Time and source are left out: the same rows split again are the same generation. */
export function computeDigest(manifest: Omit<Manifest, 'digest'> & { digest?: string }): string {
  const { digest: _digest, createdAt: _createdAt, source: _source, ...identity } = manifest
  return digestOf(identity as unknown as Json)
}

/** The identity of what is inside, whatever the generation is called: bad content stays known under a new number. */
export function computeContentDigest(manifest: Pick<Manifest, 'model' | 'files'>): string {
  return digestOf({ model: manifest.model, files: manifest.files } as unknown as Json)
}

/** Every path that a generation with these clusters, and perhaps a bridge, consists of, besides its manifest. */
export function expectedPaths(clusters: Manifest['clusters'], bridge?: Bridge): string[] {
  const kinds = Object.keys(SHARD_FILES) as (keyof typeof SHARD_FILES)[]
  return [
    CENTROIDS_FILE,
    GOLDEN_FILE,
    ...(bridge ? [BRIDGE_FILE] : []),
    ...clusters.flatMap((shard) => [
      ...kinds.map((kind) => shardFile(shard.id, kind)),
      ...[searchFile(shard) ?? []].flat(),
    ]),
  ]
}
