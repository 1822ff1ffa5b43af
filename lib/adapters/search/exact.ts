import { type BatchMatches, exactSearch, type Matches, MetricKind } from 'usearch'
import type { Metric } from '../../domain/model.ts'

const KINDS: Record<Metric, MetricKind> = { cosine: MetricKind.Cos, dot: MetricKind.IP, l2: MetricKind.L2sq }

/** Rows and scores of the best matches of each query, query-major, best first; higher scores are better. */
export type ExactMatches = {
  readonly rows: Int32Array
  readonly scores: Float32Array
  readonly perQuery: number
}

export type ExactOptions = {
  readonly dimensions: number
  readonly metric: Metric
  readonly k: number
  readonly threads?: number
}

/**
 * The k rows of `dataset` [n, dimensions] that are most similar to each of `queries` [m, dimensions], by comparing all
 * of them. `dataset` must begin where its buffer does. Scores: cosine similarity, dot product, or negated squared distance. `perQuery` is min(k, n). Blocks the
 * caller: call it in a worker thread.
 */
export function searchExact(
  dataset: Float32Array,
  queries: Float32Array,
  options: ExactOptions,
): ExactMatches {
  const { dimensions, metric, threads = 1 } = options
  const perQuery = Math.min(options.k, dataset.length / dimensions)
  if (perQuery === 0 || queries.length === 0) {
    return { rows: new Int32Array(0), scores: new Float32Array(0), perQuery }
  }
  // usearch reads a buffer from its beginning, wherever the array begins (seen in 2.25.3).
  if (dataset.byteOffset !== 0) throw new RangeError('the dataset does not begin where its buffer does')
  const found: Matches | BatchMatches = exactSearch(
    dataset,
    queries.byteOffset === 0 ? queries : queries.slice(),
    dimensions,
    perQuery,
    KINDS[metric],
    threads,
  )
  const offset = metric === 'l2' ? 0 : 1
  return {
    rows: Int32Array.from(found.keys, Number),
    scores: found.distances.map((distance) => offset - distance),
    perQuery,
  }
}
