import { type ShardEntry, searchFile } from '../../domain/manifest.ts'
import type { Metric } from '../../domain/model.ts'
import type { ShardKind } from '../../domain/shard-search.ts'
import { type ExactMatches, searchExact } from '../search/exact.ts'
import { openGraph } from '../search/graph.ts'
import { searchQuantised } from '../search/quantised.ts'
import { openMatrix } from './mapped-matrix.ts'

/** How the vectors of a shard are searched. */
export type ShardIndex = {
  readonly kind: ShardKind
  /** The best k per query of `queries` [m, dimensions]; scores are exact for every kind. Blocks the caller. */
  search(queries: Float32Array, k: number): ExactMatches
  /** Makes what `search` would make first. Blocks the caller. */
  prepare(): void
  /** Gives memory back that only `search` needs, until it is needed again. */
  rest(): Promise<void>
  close(): void
}

export type Space = { readonly dimensions: number; readonly metric: Metric }

/** Hits that the manifest's candidates and expansion are told for. */
const MEASURED_K = 10

/** Comparing all vectors needs nothing but files. */
const NOTHING_TO_PREPARE = { prepare: () => undefined, rest: async () => undefined }

/**
 * Opens what the kind of search of a shard needs beside its vectors; `locate` tells where a file of the generation lies.
 * Raises `corrupt`.
 */
export function openIndex(
  shard: ShardEntry,
  locate: (path: string) => string,
  { vectors, space }: { readonly vectors: Float32Array; readonly space: Space },
): ShardIndex {
  const { items, search } = shard
  const { dimensions } = space
  if (search?.kind === 'exact-i8') {
    const { values, close } = openMatrix(locate(searchFile(shard)!), '|i1', [items, dimensions])
    const rows = { vectors, codes: values, scale: search.scale }
    return {
      ...NOTHING_TO_PREPARE,
      kind: search.kind,
      search: (queries, k) =>
        searchQuantised(rows, queries, { ...space, k, candidates: effortFor(search.candidates, k) }),
      close,
    }
  }
  if (search?.kind === 'hnsw') {
    const graph = openGraph(locate(searchFile(shard)!), { ...space, items })
    return {
      ...graph,
      kind: search.kind,
      search: (queries, k) =>
        graph.search(vectors, queries, { k, expansion: effortFor(search.expansion, k) }),
    }
  }
  return {
    ...NOTHING_TO_PREPARE,
    kind: 'exact',
    search: (queries, k) => searchExact(vectors, queries, { ...space, k }),
    close: () => undefined,
  }
}

/** Candidates for k hits, when so many were measured to be enough for ten. */
function effortFor(measured: number, k: number): number {
  return Math.ceil(measured * Math.max(1, k / MEASURED_K))
}
