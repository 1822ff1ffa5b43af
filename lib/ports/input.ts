/** An item as its source gives it; `id` and `text` where it has them, all else is metadata. */
export type SourceItem = { readonly id?: string; readonly text?: string; readonly [key: string]: unknown }

/** A row of the input that cannot become an item. */
export type Reject = {
  /** Position in the input, from 0, or the text that it is known by. */
  readonly row: number | string
  readonly reason: string
}

/** Items with nothing but a text, as they lie in memory: large inputs consist of them. Valid until the next batch is read. */
export type TextItems = {
  readonly length: number
  /** The texts one after the other, each of valid UTF-8. */
  readonly bytes: Uint8Array
  /** Where each text ends among the bytes. */
  readonly ends: Uint32Array
  /** The 64-bit hash of each text, two words. */
  readonly hashes: Uint32Array
  /** Whether no two of these hashes are the same in the whole input, so that nobody need count them. */
  readonly areDistinct: boolean
}

/** Some rows of an input, in its order. */
export type RowBatch = {
  readonly items: readonly SourceItem[] | TextItems
  /** Row-major [items, dimensions]; null where the input carries texts only. The receiver may keep it. */
  readonly vectors: Float32Array | null
  /** Tells that the receiver needs the memory of `vectors` no longer: further batches may use it. */
  readonly recycle?: () => void
  /** The cluster of each item, an index into `clusters.ids`; null where the input comes without clusters. */
  readonly clusters: Int32Array | null
  readonly rejects: readonly Reject[]
}

/** Clusters that an input brings along. */
export type GivenClusters = {
  readonly ids: readonly number[]
  /** Row-major [ids, dimensions] */
  readonly centroids: Float32Array
}

/** Embedding files of one format. Reading twice gives the same rows in the same order. */
export interface Input {
  /** The format, as told to the operator. */
  readonly kind: string
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly modifiedMs: number }[]
  /** Number of rows, undefined until they were counted. */
  readonly rows: number | undefined
  /** Length of the embeddings, null where the input carries texts only. */
  readonly dimensions: number | null
  readonly clusters: GivenClusters | null
  /** Every row once, in batches of at most some MiB. Raises `corrupt` naming file and place. */
  read(signal: AbortSignal): AsyncIterable<RowBatch>
  /** The directory that the member `file` of items is relative to, where the input holds the files itself. */
  readonly root?: string
}

/** A query text and the item that it must find, with the line that says so. */
export type ExpectedPair = { readonly query: string; readonly id: string; readonly line: number }

/** Reads the files that items stand for. */
export interface ItemFiles {
  /** The bytes of the file `path` below `root`. Raises `usage` for a path that leaves it, `not-found`. */
  read(root: string, path: string): Promise<Uint8Array>
}

/** Opens embedding files of every known format. */
export interface InputSource {
  /** The user's own expectations, one JSON object `{query, id}` a line. Raises `usage` naming file and line. */
  readPairs(path: string): Promise<ExpectedPair[]>
  /** A file as it is. Raises `usage`. */
  readText(path: string): Promise<string>
  /** `dimensions` is what the model has. Raises `not-found`, `usage` for a format that is not known, `corrupt`. */
  open(path: string, options: { readonly dimensions: number }): Promise<Input>
}
