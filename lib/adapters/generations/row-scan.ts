import type { ShardFacts } from '../../domain/judge.ts'
import type { Metric } from '../../domain/model.ts'
import { NEIGHBOURS_KEPT } from '../../domain/recall.ts'
import { BlockScorer } from '../search/block-scorer.ts'
import type { Match } from './best-matches.ts'
import { NearestCentroid } from './nearest.ts'
import { NearestRows } from './nearest-rows.ts'

export type RowScanOptions = {
  /** Position of the shard among the clusters, and its cluster's id. */
  readonly shard: number
  readonly cluster: number
  /** Rows that are no copies; they come first. */
  readonly own: number
  readonly dimensions: number
  /** How rows are routed, and how queries are compared with them. */
  readonly routing: Metric
  readonly scoring: Metric
  /** [clusters, dimensions] */
  readonly centroids: Float32Array
  /** [queries, dimensions] */
  readonly queries: Float32Array
}

/** Gathers what gates want to know of the rows of one shard, block by block. */
export class RowScan {
  /** Takes the rows of a block before `finishBlock`. */
  readonly scorer: BlockScorer
  readonly #neighbours: NearestRows
  readonly #nearest: NearestCentroid
  readonly #options: RowScanOptions
  #rows = 0
  #atHome = 0
  #nonFinite = 0
  #firstNonFinite: number | null = null
  #normDeviation = 0
  #normRow = 0

  constructor(options: RowScanOptions) {
    const { dimensions, centroids, queries, routing } = options
    const vectors = new Float32Array(centroids.length + queries.length)
    vectors.set(centroids)
    vectors.set(queries, centroids.length)
    this.#options = options
    this.scorer = new BlockScorer(vectors, dimensions)
    this.#nearest = new NearestCentroid(this.scorer, centroids, { dimensions, metric: routing })
    const first = centroids.length / dimensions
    this.#neighbours = new NearestRows(this.scorer, { ...options, first, size: NEIGHBOURS_KEPT })
  }

  /** Takes in the `count` rows that the scorer has loaded. */
  finishBlock(count: number): void {
    const norms = this.scorer.squaredNorms()
    this.#checkNorms(norms)
    this.#countAtHome(this.#nearest.find(count))
    this.#neighbours.take(norms)
    this.#rows += count
  }

  facts(): ShardFacts {
    return {
      cluster: this.#options.cluster,
      items: this.#rows,
      own: Math.min(this.#options.own, this.#rows),
      nonFinite: this.#nonFinite,
      firstNonFinite: this.#firstNonFinite,
      normDeviation: this.#normDeviation,
      normRow: this.#normRow,
      atHome: this.#atHome,
    }
  }

  /** The nearest rows of every query, best first. */
  matches(): readonly (readonly Match[])[] {
    return this.#neighbours.list()
  }

  #checkNorms(norms: Float32Array): void {
    for (let row = 0; row < norms.length; row++) {
      const deviation = Math.abs(Math.sqrt(norms[row]!) - 1)
      if (!Number.isFinite(deviation)) {
        this.#nonFinite++
        this.#firstNonFinite ??= this.#rows + row
      } else if (deviation > this.#normDeviation) {
        this.#normDeviation = deviation
        this.#normRow = this.#rows + row
      }
    }
  }

  #countAtHome(nearest: Int32Array): void {
    const { shard, own } = this.#options
    const count = Math.min(nearest.length, own - this.#rows)
    for (let row = 0; row < count; row++) if (nearest[row] === shard) this.#atHome++
  }
}
