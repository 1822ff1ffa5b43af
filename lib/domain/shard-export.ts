import { countItems, countOwn, type Manifest, shardFile } from './manifest.ts'

/** What an index service tells of a shard whose items are to be read; `emben_*` and `objects` as FindFace calls them. */
export type ShardSummary = {
  readonly generation: string
  readonly digest: string
  readonly cluster: number
  /** Shards of the generation, and the items of all of them, each once. */
  readonly clusters: number
  readonly total: number
  readonly emben_model: string
  readonly emben_size: number
  /** Items of this shard that are no copies: the first of `rows`. */
  readonly objects: number
  readonly rows: number
  /** Of all rows one after the other, a line each. */
  readonly bytes: number
  readonly sha256: string
}

/** The most rows of one page; without a number, so many. */
export const MOST_PAGE_ROWS = 10_000
export const USUAL_PAGE_ROWS = 1_000

/** The row that the next page begins with stands in this header, unless there is none. */
export const NEXT_HEADER = 'x-longshore-next'
export const DIGEST_HEADER = 'x-longshore-digest'

/** The summary of a shard; undefined where the generation has no such cluster. */
export function summarizeShard(manifest: Manifest, cluster: number): ShardSummary | undefined {
  const shard = manifest.clusters.find(({ id }) => id === cluster)
  const file = manifest.files.find(({ path }) => path === shardFile(cluster, 'items'))
  if (!shard || !file) return undefined
  return {
    generation: manifest.generation,
    digest: manifest.digest,
    cluster,
    clusters: manifest.clusters.length,
    total: countItems(manifest),
    emben_model: manifest.model.name,
    emben_size: manifest.model.dimensions,
    objects: countOwn(shard),
    rows: shard.items,
    bytes: file.bytes,
    sha256: file.sha256,
  }
}

/** Whether a value is a summary of a shard, in all its members. */
export function isShardSummary(value: unknown): value is ShardSummary {
  const told = (value ?? {}) as Partial<Record<keyof ShardSummary, unknown>>
  const counts = [
    told.cluster,
    told.clusters,
    told.total,
    told.emben_size,
    told.objects,
    told.rows,
    told.bytes,
  ]
  const isCounted = counts.every((count) => Number.isSafeInteger(count) && Number(count) >= 0)
  const texts = [told.generation, told.digest, told.emben_model]
  const isNamed = texts.every((text) => typeof text === 'string')
  return isCounted && isNamed && /^[0-9a-f]{64}$/.test(String(told.sha256))
}
