import { createNodePool, type NodePool } from './node-pool.ts'
import { CONTROL, type Fetch, type PlannedNode, type UnderWay } from './piece-planner-types.ts'
import { addPiece, hasPiece, removePiece } from './piece-set.ts'
import type { PieceSpread } from './piece-spread.ts'

/** Most fetches at once: from nodes into a node, out of a node, out of the control host. */
export type FetchLimits = {
  readonly intake: number
  readonly uploads: number
  readonly controlUploads: number
}

/** Which fetches are under way, and who has room for more. */
export type PieceFetches = {
  /** Nodes that others may fetch from now. */
  readonly open: NodePool<PlannedNode>
  /** Nodes that may fetch from others now. */
  readonly hungry: NodePool<PlannedNode>
  /** Nodes that get nothing from others, and lack something. */
  readonly cutOff: NodePool<PlannedNode>
  /** How many more fetches may begin out of the control host. */
  readonly controlRoom: number
  begin(fetch: Fetch, now: number): UnderWay
  end(fetch: UnderWay): void
  /** A fetch that takes too long counts no longer for the intake of its sink: another one takes its place. */
  replace(fetch: UnderWay): void
  /** What takes too long holds nobody up: others wait for the piece no longer, nor for room at the control host. */
  markLate(fetch: UnderWay): void
  /** To be called now and then: learns how many fetches share the link of a sink. */
  measureCrowd(): void
  /** To be called after a node changed otherwise: puts it where it belongs. */
  sort(node: PlannedNode): void
}

/** Fetches at once that keep the link of a source busy where nobody competes for the links of the sinks. */
const ALONE = 3
const UNTRUSTED_INTAKE = 2

export function createPieceFetches(spread: PieceSpread, limits: FetchLimits): PieceFetches {
  const open = createNodePool<PlannedNode>()
  const hungry = createNodePool<PlannedNode>()
  const cutOff = createNodePool<PlannedNode>()
  const { nodes, copies } = spread
  let fromControl = 0
  let fromNodes = 0
  let crowd = 0
  /** Few for one that does not keep up. */
  const intakeOf = ({ isTrusted }: PlannedNode) =>
    isTrusted ? limits.intake : Math.min(limits.intake, UNTRUSTED_INTAKE)
  const sort = (node: PlannedNode) => {
    const { isAlive, isTrusted, missing, uploading } = node
    const isSource = isAlive && isTrusted && missing < copies.length
    put(open, node, isSource && uploading < Math.min(limits.uploads, ALONE + crowd))
    const isSink = isAlive && node.wantedCount > 0
    put(hungry, node, isSink && node.aloneUntil === 0 && node.fetching < intakeOf(node))
    put(cutOff, node, isSink && node.aloneUntil > 0)
  }
  const measureCrowd = () => {
    const seen = Math.ceil(fromNodes / Math.max(1, spread.incomplete.size))
    if (seen === crowd) return
    crowd = seen
    for (const node of nodes) sort(node)
  }
  const stopFeeding = (fetch: UnderWay) => {
    if (fetch.feeds) spread.feed(fetch.piece, -1)
    fetch.feeds = false
  }
  /** A try that took the place of others has ended before them: the youngest of them counts again. */
  const countAgain = (others: readonly UnderWay[], sink: PlannedNode) => {
    const last = others.at(-1)!
    if (others.some(({ isReplaced }) => !isReplaced)) return
    last.isReplaced = false
    if (last.from !== CONTROL) sink.fetching++
  }
  return {
    open,
    hungry,
    cutOff,
    sort,
    get controlRoom() {
      return Math.min(limits.controlUploads, ALONE + crowd) - fromControl
    },
    measureCrowd,
    begin({ to, from, piece }, now) {
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
        fromNodes++
        sort(source)
      } else {
        sink.feeding++
        fromControl++
      }
      const feeds = from === CONTROL && sink.isTrusted
      if (feeds) spread.feed(piece, 1)
      const together = { into: sink.fetching + sink.feeding, outOf: source?.uploading ?? fromControl }
      const fetch = { to, from, piece, since: now, together, feeds, isLate: false, isReplaced: false }
      sink.fetches.push(fetch)
      sort(sink)
      return fetch
    },
    end(fetch) {
      const { to, from, piece } = fetch
      const sink = nodes[to]!
      const source = nodes[from]
      sink.fetches.splice(sink.fetches.indexOf(fetch), 1)
      copies[piece]!--
      if (source) {
        if (!fetch.isReplaced) sink.fetching--
        source.uploading--
        fromNodes--
        sort(source)
      } else {
        sink.feeding--
        if (!fetch.isLate) fromControl--
      }
      stopFeeding(fetch)
      const others = sink.fetches.filter((other) => other.piece === piece)
      if (others.length > 0) countAgain(others, sink)
      else if (!hasPiece(sink.have, piece)) {
        addPiece(sink.wanted, piece)
        sink.wantedCount++
      }
      sort(sink)
    },
    replace(fetch) {
      if (fetch.from !== CONTROL && !fetch.isReplaced) nodes[fetch.to]!.fetching--
      fetch.isReplaced = true
      sort(nodes[fetch.to]!)
    },
    markLate(fetch) {
      if (fetch.isLate) return
      stopFeeding(fetch)
      if (fetch.from === CONTROL) fromControl--
      fetch.isLate = true
    },
  }
}

function put(pool: NodePool<PlannedNode>, node: PlannedNode, belongs: boolean): void {
  if (belongs) pool.add(node)
  else pool.remove(node)
}
