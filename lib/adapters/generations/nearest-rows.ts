import type { Metric } from '../../domain/model.ts'
import { innerProduct, scoreOf } from '../../domain/similarity.ts'
import type { BlockScorer } from '../search/block-scorer.ts'
import { BestMatches, type Match } from './best-matches.ts'

export type NearestRowsOptions = {
  /** [queries, dimensions], which the scorer compares rows with, beginning with its query `first`. */
  readonly queries: Float32Array
  readonly first: number
  readonly dimensions: number
  readonly scoring: Metric
  /** Position of the shard among the clusters. */
  readonly shard: number
  /** Rows kept per query. */
  readonly size: number
}

/** Keeps the rows of one shard that are nearest to each query, block by block. */
export class NearestRows {
  readonly #scorer: BlockScorer
  readonly #options: NearestRowsOptions
  readonly #squares: Float64Array
  readonly #searches: readonly BestMatches[]
  #rows = 0

  constructor(scorer: BlockScorer, options: NearestRowsOptions) {
    const { queries, dimensions, size } = options
    this.#scorer = scorer
    this.#options = options
    this.#squares = Float64Array.from({ length: queries.length / dimensions }, (_, query) => {
      const vector = queries.subarray(query * dimensions, (query + 1) * dimensions)
      return innerProduct(vector, vector)
    })
    this.#searches = Array.from(this.#squares, () => new BestMatches(size))
  }

  /** Takes in the rows that the scorer has loaded; `norms` are their squared norms. */
  take(norms: Float32Array): void {
    for (let query = 0; query < this.#searches.length; query++) {
      this.#search(query, this.#scorer.productsOf(this.#options.first + query), norms)
    }
    this.#rows += norms.length
  }

  /** The nearest rows of every query so far, best first. */
  list(): readonly (readonly Match[])[] {
    return this.#searches.map((best) => best.list())
  }

  #search(query: number, products: Float32Array, norms: Float32Array): void {
    const { scoring, shard } = this.#options
    const best = this.#searches[query]!
    const squaredA = this.#squares[query]!
    // A word that came from another thread is compared letter by letter, here for every row and query.
    const isProduct = scoring === 'dot'
    let threshold = best.threshold
    for (let row = 0; row < products.length; row++) {
      const product = products[row]!
      const score = isProduct ? product : scoreOf(scoring, { product, squaredA, squaredB: norms[row]! })
      if (score > threshold) {
        best.offer({ shard, row: this.#rows + row, score })
        threshold = best.threshold
      }
    }
  }
}
