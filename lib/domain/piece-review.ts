import { findTypicalRate, isSlow } from './link-rate.ts'
import type { PieceFetches } from './piece-fetches.ts'
import type { PlannedNode, UnderWay } from './piece-planner-types.ts'
import type { PieceSpread } from './piece-spread.ts'

/** What a look at all nodes found. */
export type Review = {
  /** Fetches that take much longer than usual. */
  readonly late: readonly UnderWay[]
  /** Nodes that lack pieces and have nothing under way. */
  readonly starving: readonly PlannedNode[]
}

const LATE_FACTOR = 4
/** Used before anything has come. */
const LATE_MS = 5_000
const AVOID_FACTOR = 20

/**
 * Looks at all nodes: who is slow or silent and no longer to be relied on, who works again, which fetches are late.
 * `pace`: usual ms per byte, 0 before the first piece; `usualMs`: usual time of a fetch.
 */
export function reviewNodes(
  spread: PieceSpread,
  fetches: PieceFetches,
  {
    now,
    pace,
    usualMs,
    bytesOf,
  }: { now: number; pace: number; usualMs: number; bytesOf: (piece: number) => number },
): Review {
  const alive = spread.nodes.filter(({ isAlive }) => isAlive)
  const late = alive.flatMap((node) => node.fetches.filter((fetch) => isLate(node, fetch)))
  for (const fetch of late) blame(spread.nodes, fetch, now + AVOID_FACTOR * usualMs)
  const down = findTypicalRate(alive.map((node) => node.down))
  const up = findTypicalRate(alive.map((node) => node.up))
  for (const node of alive) {
    if (node.aloneUntil <= now) node.aloneUntil = 0
    const isFit = !isSlow(node.down, down) && !isSlow(node.up, up) && node.avoidedUntil <= now
    spread.setTrusted(node, isFit)
    fetches.sort(node)
  }
  return { late, starving: alive.filter((node) => node.missing > 0 && node.fetches.length === 0) }

  function isLate(node: PlannedNode, { isReplaced, since, piece }: UnderWay): boolean {
    if (isReplaced) return false
    const usual = LATE_FACTOR * Math.max(pace, node.pace) * bytesOf(piece)
    return now - since > (usual === 0 ? LATE_MS : usual)
  }
}

/** Of a late fetch, the end that did nothing since it began is to blame; where both did nothing, both may be. */
function blame(nodes: readonly PlannedNode[], { to, from, since, isLate }: UnderWay, until: number): void {
  const source = nodes[from]
  if (isLate) return
  if (source && source.sentAt < since) source.avoidedUntil = Math.max(source.avoidedUntil, until)
  const sink = nodes[to]!
  if (sink.receivedAt < since) sink.avoidedUntil = Math.max(sink.avoidedUntil, until)
}
