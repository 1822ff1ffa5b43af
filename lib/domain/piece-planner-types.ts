import type { LinkRate } from './link-rate.ts'
import type { PieceSet } from './piece-set.ts'

/** As `from` of a fetch: the host of the command, which has all pieces. */
export const CONTROL = -1

/** A piece on its way to a node; `to` and `from` are positions in the order of joining, or {@link CONTROL}. */
export type Fetch = { readonly to: number; readonly from: number; readonly piece: number }

/** A fetch under way; `together` fetches shared the link of either end when it began. */
export type UnderWay = Fetch & {
  readonly since: number
  readonly together: { readonly into: number; readonly outOf: number }
  /** It is the control host's, and brings a piece to a node that others may rely on. */
  feeds: boolean
  isLate: boolean
  /** Another try for the same piece has taken its place. */
  isReplaced: boolean
}

/** What the planner knows of a node. */
export type PlannedNode = {
  readonly index: number
  readonly have: PieceSet
  /** Pieces that it lacks and that are not on their way to it. */
  readonly wanted: PieceSet
  readonly fetches: UnderWay[]
  missing: number
  wantedCount: number
  isAlive: boolean
  /** Others may rely on it: it is neither slow nor did fetches from it fail just now. */
  isTrusted: boolean
  /** Fetches under way into it: from nodes without those that were replaced, and from the control host. */
  fetching: number
  feeding: number
  /** Fetches under way out of it. */
  uploading: number
  readonly down: LinkRate
  readonly up: LinkRate
  /** Usual time of a fetch into it, ms per byte; 0 before the first. */
  pace: number
  isSlow: boolean
  /** Fetches between nodes that failed one after the other, as sink and as source. */
  failedInto: number
  failedOutOf: number
  /** Fetches from it failed: nobody fetches from it until then. */
  avoidedUntil: number
  /** It was silent: nobody relies on it until then. */
  doubtedUntil: number
  /** Nothing reaches it from others: it fetches from the control host alone until then; 0 where it does not. */
  aloneUntil: number
  receivedAt: number
  sentAt: number
}
