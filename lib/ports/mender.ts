import type { Manifest } from '../domain/manifest.ts'

export type MendOptions = {
  /** Nodes that may hold what is missing, in the order in which they are asked. */
  readonly peers: readonly string[]
  /** Directory of the generation on this machine, the last source; none where it is gone. */
  readonly directory?: string
  /** Ids of the clusters whose shards the node shall hold; all where left out. */
  readonly clusters?: readonly number[]
  readonly signal: AbortSignal
  /** Called with the number of bytes that have newly arrived at the node. */
  readonly onBytes?: (bytes: number) => void
}

/** Repairs copies on nodes with what other nodes hold: this machine need not have the generation. */
export interface Mender {
  /** The manifest of a generation that a node holds. Raises `not-found`, `corrupt`. */
  readManifest(node: string, generation: string, signal: AbortSignal): Promise<Manifest>
  /**
   * Puts what is damaged or missing of a copy together beside it, each file from the first source that has it as the
   * manifest says, and renames. Raises `corrupt` naming the files that no source has sound, `remote` when the node fails.
   */
  mend(node: string, manifest: Manifest, options: MendOptions): Promise<void>
}
