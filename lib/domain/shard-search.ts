/** How an index service searches a shard: by comparing all vectors, by scanning quantised ones first, or along a graph. */
export const SHARD_KINDS = ['exact', 'exact-i8', 'hnsw'] as const
export type ShardKind = (typeof SHARD_KINDS)[number]

/**
 * What was chosen for a shard when it was split, and the recall@10 against exact search that was measured with it.
 * A shard without it is searched exactly.
 */
export type ShardSearch =
  | { readonly kind: 'exact' }
  | {
      readonly kind: 'exact-i8'
      /** A number of the quantised vectors stands for that number divided by this. */
      readonly scale: number
      /** How many of the best by quantised vectors are compared again in float32, for ten hits. */
      readonly candidates: number
      readonly recall: number
    }
  | {
      readonly kind: 'hnsw'
      /** Length of the list of candidates while the graph is searched, for ten hits. */
      readonly expansion: number
      readonly recall: number
    }

/** The file beside a shard's vectors that its kind of search needs, by its name below `clust_K/`. */
export const SEARCH_FILES: Readonly<Record<ShardKind, string | undefined>> = {
  exact: undefined,
  'exact-i8': 'index.i8.npy',
  hnsw: 'index.usearch',
}

/** What a profile may ask for: one kind for every shard, or the one that fits the shard's size. */
export const SEARCH_SETTINGS = ['auto', ...SHARD_KINDS] as const
export type SearchSetting = (typeof SEARCH_SETTINGS)[number]

/** Items from which a scan of quantised vectors pays; and from which it takes longer than all else that a query costs. */
const QUANTISED_FROM = 20_000
const GRAPH_FROM = 30_000

/** Numbers of candidates, and lengths of a graph's list, that are tried when a shard is split, for ten hits. */
export const EFFORTS = { 'exact-i8': [40, 80, 160], hnsw: [32, 48, 64, 96, 128, 192, 256, 384, 512] } as const

/** The kind that fits a shard of `items` rows under a profile's setting. A shard without items has nothing to index. */
export function chooseKind(items: number, setting: SearchSetting): ShardKind {
  if (items === 0) return 'exact'
  if (setting !== 'auto') return setting
  if (items < QUANTISED_FROM) return 'exact'
  return items < GRAPH_FROM ? 'exact-i8' : 'hnsw'
}

/** The kinds that are tried for a shard, one after the other while recall is too low: a named one has no other. */
export function listKinds(items: number, setting: SearchSetting): readonly ShardKind[] {
  const first = SHARD_KINDS.indexOf(chooseKind(items, setting))
  return setting === 'auto' ? SHARD_KINDS.slice(0, first + 1).reverse() : [SHARD_KINDS[first]!]
}

/**
 * The least of `efforts` (ascending) whose measured recall reaches `target`; where none does, the least of those with
 * the best recall.
 */
export function chooseEffort(
  efforts: readonly number[],
  target: number,
  measure: (effort: number) => number,
): { readonly effort: number; readonly recall: number } {
  let best = { effort: efforts[0]!, recall: Number.NEGATIVE_INFINITY }
  for (const effort of efforts) {
    const recall = measure(effort)
    if (recall > best.recall) best = { effort, recall }
    if (recall >= target) break
  }
  return best
}

/** Threads that one index service may search with. */
export const MOST_SEARCH_THREADS = 64
