import type { HeldCopy } from '../domain/fleet.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { Route } from '../domain/route.ts'

/** What a node tells of itself. An unreachable node is a fact, not an error. */
export type NodeFacts = {
  readonly name: string
  readonly reachable: boolean
  readonly problem?: string
  /** What helps against the problem. */
  readonly hint?: string
  readonly freeBytes: number
  readonly memoryBytes: number
  /** What it holds under final names. */
  readonly generations: readonly HeldCopy[]
  /** Bytes on its disk by the name of a generation, for all there is of it: held, damaged or not yet whole. */
  readonly taken?: Readonly<Record<string, number>>
  /** Names of generations that relays have brought pieces of, which only relays can go on from. */
  readonly inPieces?: readonly string[]
}

/** What happens to the delivery to one node, in this order; each may be told again, and some not at all. */
export const MILESTONES = ['started', 'firstByte', 'received', 'whole', 'published'] as const
export type Milestone = (typeof MILESTONES)[number]

export type DeliverOptions = {
  readonly signal: AbortSignal
  /** Ids of the clusters whose shards the node shall hold; all where left out. Others that it holds are given up. */
  readonly clusters?: readonly number[]
  /** As the transport sees fit where left out. */
  readonly route?: Route
  /** Called with the number of bytes that have newly arrived at the node, wherever they came from. */
  readonly onBytes?: (bytes: number) => void
  /** Called with the number of bytes that have newly left this machine for the node. */
  readonly onSent?: (bytes: number) => void
  /** Called with the number of bytes that the node made itself of what it holds, so that nobody carried them. */
  readonly onSaved?: (bytes: number) => void
  readonly onMilestone?: (milestone: Milestone) => void
}

/** Carries generations to nodes. */
export interface Transport {
  inspect(node: string, signal: AbortSignal): Promise<NodeFacts>
  /**
   * Puts the generation in `directory` on a node: written beside, re-hashed from the node's disk, fsynced, renamed.
   * Continues what an interrupted delivery left. Resolves to the bytes sent; 0 when the node holds it already.
   * Raises `remote` when the node has no room or fails, `corrupt` when what arrived differs from the manifest.
   */
  deliver(node: string, directory: string, manifest: Manifest, options: DeliverOptions): Promise<number>
  /**
   * Re-hashes a held generation on the node's disk, or what belongs to these clusters or to none. Raises `corrupt` naming
   * the file, `not-found`.
   */
  verify(node: string, manifest: Manifest, signal: AbortSignal, clusters?: readonly number[]): Promise<void>
  /** Deletes a generation and everything partial of it; succeeds when there is none. */
  remove(node: string, generation: string, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
