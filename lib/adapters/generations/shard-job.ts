import { join } from 'node:path'
import { type FileEntry, shardDirectory, shardFile } from '../../domain/manifest.ts'
import type { Metric } from '../../domain/model.ts'
import type { Wanted } from '../../domain/shard-recall.ts'
import { SEARCH_FILES, type ShardKind, type ShardSearch } from '../../domain/shard-search.ts'

/** A shard of a generation, how its rows are compared, and the queries that it is measured with. */
export type ShardJob = {
  readonly directory: string
  readonly cluster: number
  readonly items: number
  readonly dimensions: number
  readonly scoring: Metric
  /** [queries, dimensions], and what each should find in this shard. */
  readonly queries: Float32Array
  readonly wanted: readonly Wanted[]
}

/** How a shard that is not searched exactly is searched. */
export type ApproximateSearch = Exclude<ShardSearch, { kind: 'exact' }>

/** A shard as it will be searched, and the file that this needs. */
export type IndexedShard = { readonly search: ApproximateSearch; readonly file: FileEntry }

/** A shard's recall@10 as it is said to be searched, and the file that this needs as it was found. */
export type CheckedShard = { readonly recall: number; readonly file: FileEntry }

export type CheckJob = ShardJob & {
  readonly search: ApproximateSearch
  /** That of the shard's file, from the manifest. */
  readonly sha256: string
}

/** Where the file of a kind of search is: below the generation's directory, and in full. */
export function locateIndex(
  { directory, cluster }: ShardJob,
  kind: ShardKind,
): { readonly path: string; readonly full: string } {
  const path = `${shardDirectory(cluster)}/${SEARCH_FILES[kind]}`
  return { path, full: join(directory, path) }
}

export function locateVectors({ directory, cluster }: ShardJob): string {
  return join(directory, shardFile(cluster, 'vectors'))
}
