import type { Golden } from '../domain/golden.ts'
import type { FileEntry, Manifest, Routing, ShardEntry, ShardSize } from '../domain/manifest.ts'
import type { Model } from '../domain/model.ts'
import type { GateResult } from '../domain/quality.ts'
import type { SearchSetting } from '../domain/shard-search.ts'
import type { Carried } from './archives.ts'
import type { GateContext } from './generation-store.ts'
import type { GivenClusters, Reject, TextItems } from './input.ts'

/** Items as items.jsonl has them: one JSON object each, with a line feed, and where each ends. */
export type ItemLines = { readonly lines: Uint8Array; readonly lineEnds: Uint32Array }

/** Items with nothing but a text, which the writer renders: their ids are made of the hashes. */
export type NamedTexts = Pick<TextItems, 'bytes' | 'ends' | 'hashes'> & {
  /** How many items before each have its text too. */
  readonly repetitions: Uint32Array
}

/** Items with their embeddings, ready to be written. */
export type PreparedRows = {
  /** Row-major [items, dimensions]; it belongs to the writer from now on. */
  readonly vectors: Float32Array
  /** Index into the clusters of each item; null sends every item to its nearest centroid. */
  readonly clusters: Int32Array | null
  readonly items: ItemLines | NamedTexts
  /** To be listed in the rejects file. */
  readonly rejects: readonly Reject[]
  /** Called when `vectors` were written: their memory may be used again. */
  readonly recycle?: () => void
}

export type DraftSpec = {
  readonly generation: string
  readonly model: Model
  readonly clusters: GivenClusters
  /** Largest share of items that are put into a second cluster too. */
  readonly borderShare: number
  /** About how many bytes it will take; refused where the disk has less. */
  readonly expectedBytes: number
}

/** What was written: rows per cluster, copies included, and rows that were given but not taken. */
export type Sealed = {
  readonly clusters: readonly ShardSize[]
  readonly rejects: number
}

export type MeasureRequest = {
  readonly goldenQueries: number
  readonly seed: number
  readonly recallTarget: number
  /** How shards are to be searched, and the recall@10 that those must reach which are not searched exactly. */
  readonly search: SearchSetting
  readonly searchRecall: number
  /** The user's own expectations; ids that the generation holds. */
  readonly pairs: Golden['pairs']
  /** Share of the input's rows that were dropped or merged. */
  readonly rejects: number
  readonly parent: { readonly name: string; readonly items: number } | null
}

export type Measured = {
  /** With how each shard is searched. */
  readonly clusters: readonly ShardEntry[]
  readonly routing: Routing
  readonly golden: Golden
  readonly files: readonly FileEntry[]
  readonly gates: readonly GateResult[]
}

/** A generation with the items, vectors and clusters of another one, which queries of another model search. */
export type BridgeSpec = {
  readonly from: Manifest
  readonly generation: string
  /** [dimensions of the queries' model, dimensions] */
  readonly map: Float32Array
  readonly golden: Golden
  /** The manifest of these files. */
  complete(files: readonly FileEntry[]): Manifest
}

/** A generation that is being made beside its final place. */
export interface GenerationDraft {
  /** Takes rows; resolves when there is room for more. Rows that are not finite are rejected. */
  append(rows: PreparedRows): Promise<void>
  /** Writes what is left of every shard, and the centroids. */
  seal(): Promise<Sealed>
  /**
   * Samples golden queries, chooses how shards are searched, writes golden.json and the files for searching, and measures
   * every gate on the files as they are on disk.
   */
  measure(request: MeasureRequest, context: GateContext): Promise<Measured>
  /** Brings everything to disk and under the final name. Raises `usage` when that is taken. */
  publish(manifest: Manifest): Promise<void>
  /** Removes everything, but for the list of rejects where it is asked for. Does nothing after `publish`. */
  discard(options: { readonly keepRejects: boolean }): Promise<void>
}

/** Makes generations on the operator's machine. Every method raises `remote` when the disk is full. */
export interface GenerationWriter {
  /** Begins to get ready for what will be asked, while the input is still being opened. */
  wake(): void
  /** The centroids of clusters trained on `sample` [n, dimensions], which belongs to the writer from now on. */
  train(
    sample: Float32Array,
    options: { readonly clusters: number; readonly seed: number; readonly model: Model },
    signal: AbortSignal,
  ): Promise<Float32Array>
  /** Begins a generation; first removes what dead runs left. */
  begin(spec: DraftSpec): Promise<GenerationDraft>
  /**
   * Makes a generation of files that lie below another directory, and reads every one back from the disk. Raises `corrupt`
   * naming a file that differs from the manifest, `usage` where the name is taken; then nothing stands under it.
   */
  adopt(manifest: Manifest, directory: string, carried: Carried): Promise<void>
  /** Makes a generation of another one's files and a map. Raises `usage` when its name is taken. */
  writeBridge(spec: BridgeSpec): Promise<Manifest>
}
