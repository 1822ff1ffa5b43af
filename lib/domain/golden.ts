/** One exact neighbour of a golden query: higher scores are better. */
export type GoldenHit = { readonly id: string; readonly cluster: number; readonly score: number }

/** A sampled item used as a query, with its exact nearest neighbours over the whole generation. */
export type GoldenQuery = {
  /** Id of the sampled item. */
  readonly id: string
  /** Text of the sampled item, where it has one; lets the gateway check the model it embeds with. */
  readonly text?: string
  /** [dimensions] float32 values */
  readonly vector: readonly number[]
  /** Best first, as many as `k` of the file or as there are items. */
  readonly hits: readonly GoldenHit[]
}

/** golden.json of a generation. */
export type Golden = {
  readonly k: number
  readonly queries: readonly GoldenQuery[]
  /** The user's own expectations: this query text must find this item among the first k. */
  readonly pairs: readonly { readonly query: string; readonly id: string }[]
}
