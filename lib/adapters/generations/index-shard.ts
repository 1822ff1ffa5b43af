import { rmSync } from 'node:fs'
import type { FileEntry } from '../../domain/manifest.ts'
import type { ShardKind, ShardSearch } from '../../domain/shard-search.ts'
import { checkGraph, indexGraph } from './graph-shard.ts'
import { checkQuantised, indexQuantised } from './quantised-shard.ts'
import { type CheckedShard, type CheckJob, locateIndex, type ShardJob } from './shard-job.ts'

export type IndexJob = ShardJob & {
  /** Tried one after the other; the last one is kept whatever its recall. */
  readonly kinds: readonly ShardKind[]
  /** Recall@10 that is enough. */
  readonly target: number
}

/** How a shard will be searched, and the file that this needs, which is on the disk. */
export type Indexed = { readonly search: ShardSearch; readonly file: FileEntry | null }

/** Writes the file of the first kind of search that is good enough, with the least effort that makes it so. */
export async function indexShard({ kinds, target, ...job }: IndexJob): Promise<Indexed> {
  for (const [index, kind] of kinds.entries()) {
    if (kind === 'exact') break
    const indexed = await (kind === 'hnsw' ? indexGraph(job, target) : indexQuantised(job))
    if (indexed.search.recall >= target || index === kinds.length - 1) return indexed
    rmSync(locateIndex(job, kind).full)
  }
  return { search: { kind: 'exact' }, file: null }
}

/** Measures a shard as it is said to be searched, with its file as it is. Raises `corrupt`. */
export async function checkShard(job: CheckJob): Promise<CheckedShard> {
  const { search } = job
  return search.kind === 'hnsw' ? checkGraph(job, search) : checkQuantised(job, search)
}
