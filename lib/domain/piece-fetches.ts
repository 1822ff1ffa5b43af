import { createNodePool } from './node-pool.ts'
import { CONTROL, type Fetch, type UnderWay } from './piece-planner-types.ts'
import { addPiece, hasPiece, removePiece } from './piece-set.ts'
import type { PieceSpread } from './piece-spread.ts'
import type { PlannedNode } from './planned-node.ts'

/** Most fetches at once: from nodes into a node, out of a node, out of the control host. */
export type FetchLimits = {
  readonly intake: number
  readonly uploads: number
  readonly controlUploads: number
}

/** Fetches at once that keep the link of a source busy where nobody competes for the links of the sinks. */
const ALONE = 3
/** Of what others get at once: little, and enough for a node to show that it is slow no longer. */
const UNTRUSTED_SHARE = 0.4

/** Which fetches are under way, and who has room for more. */
export class PieceFetches {
  /** Nodes that others may fetch from now. */
  readonly open = createNodePool<PlannedNode>()
  /** Nodes that may fetch from others now. */
  readonly hungry = createNodePool<PlannedNode>()
  /** Nodes that get nothing from others, and lack something. */
  readonly cutOff = createNodePool<PlannedNode>()
  readonly #spread: PieceSpread
  readonly #limits: FetchLimits
  #fromControl = 0
  #fromNodes = 0
  #crowd = 0

  constructor(spread: PieceSpread, limits: FetchLimits) {
    this.#spread = spread
    this.#limits = limits
  }

  /** How many more fetches may begin out of the control host. */
  get controlRoom(): number {
    return Math.min(this.#limits.controlUploads, ALONE + this.#crowd) - this.#fromControl
  }

  begin({ to, from, piece }: Fetch, now: number): UnderWay {
    const { nodes, copies } = this.#spread
    const sink = nodes[to]!
    const source = nodes[from]
    if (hasPiece(sink.wanted, piece)) {
      removePiece(sink.wanted, piece)
      sink.wantedCount--
    }
    copies[piece]!++
    if (source) {
      sink.fetching++
      source.uploading++
      this.#fromNodes++
      this.sort(source)
    } else {
      sink.feeding++
      this.#fromControl++
    }
    const feeds = from === CONTROL && sink.isTrusted
    if (feeds) this.#spread.feed(piece, 1)
    const together = { into: sink.fetching + sink.feeding, outOf: source?.uploading ?? this.#fromControl }
    const fetch = { to, from, piece, since: now, together, feeds, isLate: false, isReplaced: false }
    sink.fetches.push(fetch)
    this.sort(sink)
    return fetch
  }

  end(fetch: UnderWay): void {
    const { nodes, copies } = this.#spread
    const sink = nodes[fetch.to]!
    const source = nodes[fetch.from]
    sink.fetches.splice(sink.fetches.indexOf(fetch), 1)
    copies[fetch.piece]!--
    if (source) {
      if (!fetch.isReplaced) sink.fetching--
      source.uploading--
      this.#fromNodes--
      this.sort(source)
    } else {
      sink.feeding--
      if (!fetch.isLate) this.#fromControl--
    }
    this.#stopFeeding(fetch)
    this.#wantAgain(sink, fetch.piece)
    this.sort(sink)
  }

  /** A fetch that takes too long counts no longer for the intake of its sink: another one takes its place. */
  replace(fetch: UnderWay): void {
    const sink = this.#spread.nodes[fetch.to]!
    if (fetch.from !== CONTROL && !fetch.isReplaced) sink.fetching--
    fetch.isReplaced = true
    this.sort(sink)
  }

  /** What takes too long holds nobody up: others wait for the piece no longer, nor for room at the control host. */
  markLate(fetch: UnderWay): void {
    if (fetch.isLate) return
    this.#stopFeeding(fetch)
    if (fetch.from === CONTROL) this.#fromControl--
    fetch.isLate = true
  }

  /** To be called now and then: learns how many fetches share the link of a sink, which is as many as a source needs. */
  measureCrowd(): void {
    const crowd = Math.ceil(this.#fromNodes / Math.max(1, this.#spread.incomplete.size))
    if (crowd === this.#crowd) return
    this.#crowd = crowd
    for (const node of this.#spread.nodes) this.sort(node)
  }

  /** To be called after a node changed otherwise: puts it where it belongs. */
  sort(node: PlannedNode): void {
    const { isAlive, isTrusted, missing, uploading } = node
    const isSource = isAlive && isTrusted && missing < this.#spread.copies.length
    this.open.put(node, isSource && uploading < Math.min(this.#limits.uploads, ALONE + this.#crowd))
    const isSink = isAlive && node.wantedCount > 0
    const intake = Math.ceil(this.#limits.intake * (isTrusted ? 1 : UNTRUSTED_SHARE))
    this.hungry.put(node, isSink && node.aloneUntil === 0 && node.fetching < intake)
    this.cutOff.put(node, isSink && node.aloneUntil > 0)
  }

  #stopFeeding(fetch: UnderWay): void {
    if (fetch.feeds) this.#spread.feed(fetch.piece, -1)
    fetch.feeds = false
  }

  /** After a try ended: where it had taken the place of others, the youngest of them counts again. */
  #wantAgain(sink: PlannedNode, piece: number): void {
    const others = sink.fetches.filter((other) => other.piece === piece)
    const last = others.at(-1)
    if (last && others.every(({ isReplaced }) => isReplaced)) {
      last.isReplaced = false
      if (last.from !== CONTROL) sink.fetching++
    }
    if (last || hasPiece(sink.have, piece)) return
    addPiece(sink.wanted, piece)
    sink.wantedCount++
    this.#spread.putBack(piece)
  }
}
