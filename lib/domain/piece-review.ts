import { findTypicalRate, isSlow } from './link-rate.ts'
import type { PieceFetches } from './piece-fetches.ts'
import type { UnderWay } from './piece-planner-types.ts'
import type { PieceSpread } from './piece-spread.ts'
import { isReliable, noteLateness } from './piece-trust.ts'
import type { PlannedNode } from './planned-node.ts'

const LATE_FACTOR = 4
/** Used before anything has come. */
const LATE_MS = 5_000
const DOUBT_FACTOR = 20

/**
 * Looks at all nodes, who is slow or silent and no longer to be relied on, and who works again; the fetches that take much
 * longer than usual.
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
): UnderWay[] {
  const { nodes } = spread
  const isLate = (node: PlannedNode, { since, piece }: UnderWay) => {
    const usual = LATE_FACTOR * Math.max(pace, node.pace) * bytesOf(piece)
    return now - since > (usual === 0 ? LATE_MS : usual)
  }
  const alive = nodes.filter((node) => node.isAlive)
  const late = alive.flatMap((node) => node.fetches.filter((fetch) => isLate(node, fetch)))
  for (const fetch of late) {
    noteLateness(fetch, { sink: nodes[fetch.to]!, source: nodes[fetch.from] }, now + DOUBT_FACTOR * usualMs)
    fetches.markLate(fetch)
  }
  const down = findTypicalRate(alive.map((node) => node.down))
  const up = findTypicalRate(alive.map((node) => node.up))
  for (const node of alive) {
    if (node.aloneUntil <= now) node.aloneUntil = 0
    node.isSlow = isSlow(node.down, down) || isSlow(node.up, up)
    spread.setTrusted(node, isReliable(node, now))
    fetches.sort(node)
  }
  return late.filter(({ isReplaced }) => !isReplaced)
}
