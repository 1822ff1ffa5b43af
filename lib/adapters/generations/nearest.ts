import type { Metric } from '../../domain/model.ts'
import { innerProduct } from '../../domain/similarity.ts'
import type { BlockScorer } from '../search/block-scorer.ts'

/**
 * Tells the nearest centroid of every row that a scorer has loaded; the scorer's first queries must be the centroids.
 * Compares by cosine, product or distance, without the terms that are the same for all centroids.
 */
export class NearestCentroid {
  readonly #scorer: BlockScorer
  readonly #scales: Float64Array
  readonly #offsets: Float64Array
  readonly #best: Float64Array
  readonly #nearest: Int32Array
  readonly #gaps: Float64Array

  /** `centroids` are [clusters, dimensions]. */
  constructor(
    scorer: BlockScorer,
    centroids: Float32Array,
    { dimensions, metric }: { readonly dimensions: number; readonly metric: Metric },
  ) {
    const squares = Float64Array.from({ length: centroids.length / dimensions }, (_, cluster) => {
      const centroid = centroids.subarray(cluster * dimensions, (cluster + 1) * dimensions)
      return innerProduct(centroid, centroid)
    })
    this.#scorer = scorer
    this.#scales = squares.map((square) => scaleOf(square, metric))
    this.#offsets = squares.map((square) => (metric === 'l2' ? -square : 0))
    this.#best = new Float64Array(scorer.capacity)
    this.#nearest = new Int32Array(scorer.capacity)
    this.#gaps = new Float64Array(scorer.capacity)
  }

  /** The nearest centroids of the first `count` rows, `except` left out; valid until the next call. */
  find(count: number, except = -1): Int32Array {
    const best = this.#best.fill(Number.NEGATIVE_INFINITY)
    const nearest = this.#nearest.fill(0)
    for (let cluster = 0; cluster < this.#scales.length; cluster++) {
      if (cluster === except) continue
      const products = this.#scorer.productsOf(cluster)
      const scale = this.#scales[cluster]!
      const offset = this.#offsets[cluster]!
      for (let row = 0; row < count; row++) {
        const score = products[row]! * scale + offset
        if (score > best[row]!) {
          best[row] = score
          nearest[row] = cluster
        }
      }
    }
    return nearest.subarray(0, count)
  }

  /** As `find`, without their own centroid `home`, and by how much each of the rows is nearer to that. */
  findNext(count: number, home: number): { readonly nearest: Int32Array; readonly gaps: Float64Array } {
    const nearest = this.find(count, home)
    const products = this.#scorer.productsOf(home)
    for (let row = 0; row < count; row++) {
      const score = products[row]! * this.#scales[home]! + this.#offsets[home]!
      this.#gaps[row] = score - this.#best[row]!
    }
    return { nearest, gaps: this.#gaps.subarray(0, count) }
  }
}

function scaleOf(square: number, metric: Metric): number {
  if (metric === 'l2') return 2
  return metric === 'dot' || square === 0 ? 1 : 1 / Math.sqrt(square)
}
