import type { Interval } from './rank-quality.ts'
import type { KeptMatches } from './score-threshold.ts'

/** Means over queries, each with its 95 % bootstrap interval. */
export type Quality = { readonly recall: Interval; readonly ndcg: Interval; readonly mrr: Interval }

/** How far the answers of two models are from each other, as means over queries; no verdict on either. */
export type Drift = {
  readonly queries: number
  readonly overlap: number
  readonly rbo: number
  readonly tau: number
}

/** What two generations answer to the same queries, each under its own model. */
export type Comparison = {
  /** Queries with judgements of items that both generations could hold. */
  readonly judged: number
  /** Left out where no query is judged. */
  readonly quality?: { readonly before: Quality; readonly after: Quality }
  /** What score thresholds keep of the answers to judged queries; left out where there are no thresholds, too. */
  readonly kept?: { readonly before: KeptMatches; readonly after: KeptMatches }
  /** Left out where the sampled items have no texts. */
  readonly drift?: Drift
}
