/** What a query gets when a shard does not answer: an error, or what the others hold, marked in its coverage. */
export const PARTIAL_POLICIES = ['fail', 'partial'] as const
export type PartialPolicy = (typeof PARTIAL_POLICIES)[number]
