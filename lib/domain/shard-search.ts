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
