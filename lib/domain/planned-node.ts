import { createLinkRate, type LinkRate } from './link-rate.ts'
import type { UnderWay } from './piece-planner-types.ts'
import { addPiece, createPieceSet, type PieceSet } from './piece-set.ts'

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
  /** When a fetch from each node last failed. */
  readonly failedFrom: Map<number, number>
  /** Fetches from it failed: nobody fetches from it until then. */
  avoidedUntil: number
  /** It was silent: nobody relies on it until then. */
  doubtedUntil: number
  /** Nothing reaches it from others: it fetches from the control host alone until then; 0 where it does not. */
  aloneUntil: number
  receivedAt: number
  sentAt: number
}

/** A node that has nothing of so many pieces yet. */
export function createPlannedNode(index: number, pieces: number): PlannedNode {
  const wanted = createPieceSet(pieces)
  for (let piece = 0; piece < pieces; piece++) addPiece(wanted, piece)
  return {
    index,
    have: createPieceSet(pieces),
    wanted,
    fetches: [],
    missing: pieces,
    wantedCount: pieces,
    isAlive: true,
    isTrusted: true,
    fetching: 0,
    feeding: 0,
    uploading: 0,
    down: createLinkRate(),
    up: createLinkRate(),
    pace: 0,
    isSlow: false,
    failedInto: 0,
    failedOutOf: 0,
    failedFrom: new Map(),
    avoidedUntil: 0,
    doubtedUntil: 0,
    aloneUntil: 0,
    receivedAt: 0,
    sentAt: 0,
  }
}
