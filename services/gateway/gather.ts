import { mergeDistinct, mergeTopK, type ShardList } from '../../lib/domain/top-k.ts'
import { MOST_HITS, MOST_K } from '../http/parse-numbers.ts'
import { explainMissing } from './coverage.ts'
import type { RoutedCluster } from './route-queries.ts'
import type { SearchOptions } from './search-body.ts'
import { askRound, type Hit, type Question, type RoundParts, type ShardTrace } from './shard-round.ts'

export type Gathered = {
  /** For each query. */
  readonly merged: readonly (readonly Hit[])[]
  /** Clusters that have not answered. */
  readonly missing: ReadonlySet<number>
  readonly shards: readonly ShardTrace[]
  readonly mergeMs: number
}

type Routes = readonly RoutedCluster[]
type Lists = ReadonlyMap<number, ShardList<Hit>>
/** The k best of a query, and the clusters that must tell more before these are certain. */
type Merged = { readonly hits: readonly Hit[]; readonly short: readonly number[] }

/**
 * Asks the clusters of all queries at once and merges what they found. Where hits of the same text fall together, those
 * shards are asked for more whose hidden items might belong to the k best: three times at most. Raises HttpError when a
 * cluster is missing that may not be, or when nobody answers.
 */
export async function gather(routes: readonly Routes[], parts: RoundParts): Promise<Gathered> {
  const { options } = parts
  const lists = routes.map(() => new Map<number, ShardList<Hit>>())
  const missing = new Set<number>()
  const shards: ShardTrace[] = []
  let questions: Question[] = routes.flatMap((clusters, query) =>
    clusters.map(({ cluster }) => ({ query, cluster })),
  )
  let merged: readonly Merged[] = []
  let mergeMs = 0
  for (const limit of planLimits(options)) {
    const outcomes = await askRound(
      questions,
      (count) => Math.min(limit, Math.floor(MOST_HITS / count)),
      parts,
    )
    const merging = performance.now()
    for (const { trace, failure, lists: found } of outcomes) {
      shards.push(trace)
      if (failure) missing.add(trace.cluster)
      for (const { question, list } of found) lists[question.query]!.set(question.cluster, list)
    }
    const isNobodyThere = lists.every((found) => found.size === 0)
    if (missing.size > 0 && (options.partial === 'fail' || isNobodyThere)) {
      const asked = new Set(routes.flat().map(({ cluster }) => cluster)).size
      const failures = outcomes.flatMap(({ failure }) => failure ?? [])
      throw explainMissing(failures, { asked, missing: missing.size })
    }
    merged = routes.map((clusters, query) => mergeLists(clusters, lists[query]!, options))
    questions = merged.flatMap(({ short }, query) => short.map((cluster) => ({ query, cluster })))
    questions = questions.filter(({ cluster }) => !missing.has(cluster))
    mergeMs += performance.now() - merging
    if (questions.length === 0) break
  }
  return { merged: merged.map(({ hits }) => hits), missing, shards, mergeMs }
}

/** How many hits shards are asked for, one time after the other. */
function planLimits({ k, dedupe }: SearchOptions): readonly number[] {
  if (dedupe === undefined) return [k]
  return [2 * k + 10, 10 * k + 100, MOST_K].map((limit) => Math.min(limit, MOST_K))
}

function mergeLists(routes: Routes, found: Lists, { k, dedupe }: SearchOptions): Merged {
  const answered = routes.filter(({ cluster }) => found.has(cluster))
  const lists = answered.map(({ cluster }) => found.get(cluster)!)
  if (dedupe === undefined)
    return {
      hits: mergeTopK(
        lists.map(({ hits }) => hits),
        k,
      ),
      short: [],
    }
  const { hits, short } = mergeDistinct(lists, k)
  return { hits, short: short.map((list) => answered[list]!.cluster) }
}
