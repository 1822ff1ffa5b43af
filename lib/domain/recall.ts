import { GOLDEN_K, type GoldenHit } from './golden.ts'
import type { RecallPoint } from './manifest.ts'

/** Scores that differ by less are ties: which of two equal items is found is chance. */
export const TIE = 1e-6
/** Neighbours that a scan keeps per query: the query itself, the first k, and as many that may tie with the last of them. */
export const NEIGHBOURS_KEPT = 2 * GOLDEN_K + 1
/** Scores of the same vectors may differ by this much between processors. */
const SCORE_TOLERANCE = 1e-4

/** A neighbour, with the clusters that hold a copy of it besides its own. */
export type FoundHit = GoldenHit & { readonly copies?: readonly number[] }

/** The clusters that hold an item. */
export function clustersOf({ cluster, copies = [] }: FoundHit): readonly number[] {
  return [cluster, ...copies]
}

/**
 * Recall@10 for every number of asked clusters, averaged over the queries: the share of a query's exact neighbours that
 * lie in the clusters asked. `orders` are the clusters of each query, nearest first; `found` its exact neighbours, more
 * than ten so that ties with the tenth count too. The sampled item itself is left out: it is always found, and would
 * flatter the measure.
 */
export function measureRecall(
  queries: readonly { readonly id: string; readonly found: readonly FoundHit[] }[],
  orders: readonly (readonly number[])[],
): RecallPoint[] {
  const clusters = orders[0]?.length ?? 1
  const sums = new Float64Array(clusters)
  for (const [index, { id, found }] of queries.entries()) {
    const ranks = rankOf(orders[index]!)
    const others = found.filter((hit) => hit.id !== id)
    const last = others[Math.min(GOLDEN_K, others.length) - 1]
    const wanted = others.filter((hit) => last && hit.score >= last.score - TIE)
    const needed = Math.min(GOLDEN_K, others.length)
    for (let asked = 1; asked <= clusters; asked++) {
      const reached = wanted.filter((hit) =>
        clustersOf(hit).some((cluster) => ranks.get(cluster)! < asked),
      ).length
      sums[asked - 1]! += needed === 0 ? 1 : Math.min(needed, reached) / needed
    }
  }
  return Array.from(sums, (sum, index) => ({
    nprobe: index + 1,
    recall: queries.length === 0 ? 1 : sum / queries.length,
  }))
}

function rankOf(order: readonly number[]): Map<number, number> {
  return new Map(order.map((cluster, rank) => [cluster, rank]))
}

/** Whether exact search found every stored neighbour again, under its id and with its score. */
export function isFoundAgain(stored: readonly GoldenHit[], found: readonly GoldenHit[]): boolean {
  const lowest = found.length < NEIGHBOURS_KEPT ? Number.NEGATIVE_INFINITY : found[found.length - 1]!.score
  return stored.every((hit) => {
    const same = found.find(({ id, cluster }) => id === hit.id && cluster === hit.cluster)
    if (same) return Math.abs(same.score - hit.score) <= SCORE_TOLERANCE
    return Math.abs(hit.score - lowest) <= SCORE_TOLERANCE
  })
}
