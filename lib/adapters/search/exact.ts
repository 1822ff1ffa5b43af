import type { Metric } from '../../domain/model.ts'
import { type Nearest, type ScanOptions, scanRows } from './scan.ts'

/** Rows and scores of the best matches of each query, query-major, best first; higher scores are better. */
export type ExactMatches = {
  readonly rows: Int32Array
  readonly scores: Float32Array
  readonly perQuery: number
}

export type ExactOptions = ScanOptions

/**
 * The k rows of `dataset` [n, dimensions] that are most similar to each of `queries` [m, dimensions], by comparing all
 * of them. Scores: cosine similarity, dot product, or negated squared distance. `perQuery` is min(k, n). Blocks the
 * caller: call it in a worker thread.
 */
export function searchExact(
  dataset: Float32Array,
  queries: Float32Array,
  options: ExactOptions,
): ExactMatches {
  return toMatches(scanRows(dataset, queries, options), options.metric)
}

/** Scores instead of distances. */
export function toMatches({ rows, distances, perQuery }: Nearest, metric: Metric): ExactMatches {
  const offset = metric === 'l2' ? 0 : 1
  return { rows, scores: distances.map((distance) => offset - distance), perQuery }
}
