import type { GalleryCounts } from '../domain/gallery-counts.ts'
import type { ShardSummary } from '../domain/shard-export.ts'
import type { Carried } from './archives.ts'

/** A generation as the shards of a fleet tell it, one after the other as their file names them. */
export type FleetGallery = GalleryCounts & {
  readonly generation: string
  readonly digest: string
  readonly shards: readonly ShardSummary[]
}

/** The index services of two fleets: items are read from one, and the other is asked what it holds. */
export interface ShardSource {
  readonly notes: readonly string[]
  /**
   * The generation that the shards serve, or the one of this name. Raises `usage` where they serve several and none is
   * named, or where shards are named twice or not at all; `corrupt` where their counts or digests differ; `remote` where
   * neither master nor slaves of a shard answer.
   */
  describe(generation: string | undefined, signal: AbortSignal): Promise<FleetGallery>
  /** Brings all items to a directory of this machine that is an input, what is there already excepted. Raises `corrupt`, `remote`. */
  fetch(gallery: FleetGallery, carried: Carried): Promise<string>
  /** What the shards of the other fleet hold of a generation; undefined where none are named. Raises as `describe`. */
  observe(generation: string, signal: AbortSignal): Promise<FleetGallery | undefined>
  close(): Promise<void>
}

/** Opens files in the shape of FindFace's migration. */
export interface ShardSources {
  /** Raises `usage` naming file, line and key. */
  open(file: string): Promise<ShardSource>
}
