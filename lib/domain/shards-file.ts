/** A shard of another fleet: its master first, then its slaves; `where` is the place in the file that names it. */
export type SourceShard = { readonly where: string; readonly addresses: readonly string[] }

/** What a file in the shape of FindFace's migration says. */
export type ShardsFile = {
  readonly from: readonly SourceShard[]
  readonly to: readonly SourceShard[]
  readonly connectMs: number
  readonly overallMs: number
  /** Shards that are read at a time. */
  readonly workers: number
  readonly pageRows: number | undefined
  /** Keys that are not used, for the operator. */
  readonly notes: readonly string[]
}
