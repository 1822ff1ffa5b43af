import { NEIGHBOURS_KEPT } from '../../domain/recall.ts'
import { type Wanted, wantedOf } from '../../domain/shard-recall.ts'
import { type ExactMatches, searchExact } from '../search/exact.ts'
import type { ShardJob } from './shard-job.ts'

/** Queries [queries, dimensions] like those that a shard is asked, and what each should find there. */
export type StrangeQueries = { readonly queries: Float32Array; readonly wanted: readonly Wanted[] }

type Space = Pick<ShardJob, 'items' | 'dimensions' | 'scoring'>

/** A recall of 0.99 is told from one of 0.98 by more than a thousand neighbours. */
const MOST_QUERIES = 128
/** Between these neighbours of a row, by rank, and so much of the way: it ends as far from all rows as they lie apart. */
const [NEAR, FAR, STEP] = [10, 20, 0.85] as const

/**
 * Queries that are no rows, the same ones for the same rows: rows at equal distances, each moved as two of its neighbours
 * differ. A graph leads to its own rows, and to what lies around them, better than to what a stranger asks.
 */
export function makeStrangeQueries(vectors: Float32Array, space: Space): StrangeQueries {
  const { items, dimensions } = space
  const count = Math.min(MOST_QUERIES, items)
  const rowAt = (row: number) => vectors.subarray(row * dimensions, (row + 1) * dimensions)
  const queries = new Float32Array(count * dimensions)
  for (let query = 0; query < count; query++) {
    queries.set(rowAt(Math.floor((query * items) / count)), query * dimensions)
  }
  const around = findNeighbours(vectors, queries, space)
  for (let query = 0; query < count; query++) {
    const [near, far] = [NEAR, FAR].map((rank) => rowAt(pickRow(around, query, rank))) as [
      Float32Array,
      Float32Array,
    ]
    const moved = queries.subarray(query * dimensions, (query + 1) * dimensions)
    for (let at = 0; at < dimensions; at++) moved[at]! += STEP * (near[at]! - far[at]!)
  }
  return { queries, wanted: listWanted(findNeighbours(vectors, queries, space), count) }
}

function findNeighbours(
  vectors: Float32Array,
  queries: Float32Array,
  { dimensions, scoring }: Space,
): ExactMatches {
  return searchExact(vectors, queries, { dimensions, metric: scoring, k: NEIGHBOURS_KEPT })
}

/** The row at a rank, or the last one where there are fewer. */
function pickRow({ rows, perQuery }: ExactMatches, query: number, rank: number): number {
  return rows[query * perQuery + Math.min(rank, perQuery - 1)]!
}

function listWanted({ rows, scores, perQuery }: ExactMatches, count: number): Wanted[] {
  return Array.from({ length: count }, (_, query) => {
    const found = Array.from({ length: perQuery }, (_, rank) => query * perQuery + rank)
    return wantedOf(
      found.map((at) => ({ row: rows[at]!, score: scores[at]! })),
      undefined,
    )
  })
}
