import type { SearchFacts } from '../../domain/judge.ts'
import { type FileEntry, type Manifest, type ShardEntry, searchFile } from '../../domain/manifest.ts'
import { listKinds, type SearchSetting, type ShardSearch } from '../../domain/shard-search.ts'
import { eachShard, type Means, type Searched } from './each-shard.ts'

export type SearchRequest = { readonly search: SearchSetting; readonly searchRecall: number }

export type ShardSearches = {
  /** Of the shards that are not searched exactly. */
  readonly searches: readonly SearchFacts[]
  readonly files: readonly FileEntry[]
}

const EXACT: ShardSearch = { kind: 'exact' }

/** Chooses how each shard is searched, by its size and the recall that is measured, and writes the files for it. */
export async function chooseSearches(
  searched: Searched,
  { search, searchRecall: target }: SearchRequest,
  means: Means,
): Promise<ShardSearches & { readonly clusters: readonly ShardEntry[] }> {
  const plans = searched.subject.clusters
    .map(({ items }, shard) => ({ shard, kinds: listKinds(items, search) }))
    .filter(({ kinds }) => kinds[0] !== 'exact')
  const indexed = await eachShard(
    searched,
    plans,
    (thread, { kinds }, job) => thread.call('indexShard', { ...job, kinds, target }),
    means,
  )
  const chosen = new Map(plans.map(({ shard }, index) => [shard, indexed[index]!.search]))
  const clusters = searched.subject.clusters.map((cluster, shard) => {
    return { ...cluster, search: chosen.get(shard) ?? EXACT }
  })
  return {
    clusters,
    searches: clusters.flatMap(({ id, search }) =>
      search.kind === 'exact' ? [] : [{ cluster: id, kind: search.kind, recall: search.recall }],
    ),
    files: indexed.flatMap(({ file }) => file ?? []),
  }
}

/** Measures the shards of a generation as its manifest says that they are searched. Raises `corrupt`. */
export async function checkSearches(
  searched: Searched,
  { clusters, files }: Manifest,
  means: Means,
): Promise<ShardSearches> {
  const hashes = new Map(files.map(({ path, sha256 }) => [path, sha256]))
  const plans = clusters.flatMap((cluster, shard) => {
    const { id, search = EXACT } = cluster
    if (search.kind === 'exact') return []
    return [{ id, shard, search, kinds: [search.kind], sha256: hashes.get(searchFile(cluster)!)! }]
  })
  const checked = await eachShard(
    searched,
    plans,
    (thread, { search, sha256 }, job) => thread.call('checkShard', { ...job, search, sha256 }),
    means,
  )
  return {
    searches: plans.map(({ id, search }, index) => {
      return { cluster: id, kind: search.kind, recall: checked[index]!.recall }
    }),
    files: checked.map(({ file }) => file),
  }
}
