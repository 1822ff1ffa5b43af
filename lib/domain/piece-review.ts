import { findTypicalRate, isKnown, isSlow } from './link-rate.ts'
import type { PieceFetches } from './piece-fetches.ts'
import type { UnderWay } from './piece-planner-types.ts'
import type { PieceSpread } from './piece-spread.ts'
import { isReliable, noteLateness } from './piece-trust.ts'
import type { PlannedNode } from './planned-node.ts'

const LATE_FACTOR = 4
/** Any machine may pause for a moment. */
const LEAST_LATE_MS = 250
/** Used before anything has come. */
const FIRST_LATE_MS = 5_000
const DOUBT_FACTOR = 20
/** Who has passed nothing on for so long may have become fast. */
const FORGETTING_MS = 10_000

/**
 * Looks at all nodes: who is slow or silent and no longer to be relied on, and who works again. Returns the fetches that
 * take much longer than usual. `usualMs`: usual time of a whole piece, `paceMs`: of one into a node, 0 before the first.
 */
export function reviewNodes(
  spread: PieceSpread,
  fetches: PieceFetches,
  { now, usualMs, paceMs }: { now: number; usualMs: number; paceMs: (node: PlannedNode) => number },
): UnderWay[] {
  const { nodes } = spread
  const isLate = (node: PlannedNode, { since }: UnderWay) => {
    const usual = Math.max(usualMs, paceMs(node))
    return now - since > (usual === 0 ? FIRST_LATE_MS : Math.max(LEAST_LATE_MS, usual * LATE_FACTOR))
  }
  const alive = nodes.filter((node) => node.isAlive)
  const late = alive.flatMap((node) => node.fetches.filter((fetch) => isLate(node, fetch)))
  const doubtUntil = now + DOUBT_FACTOR * Math.max(usualMs, LEAST_LATE_MS / LATE_FACTOR)
  for (const fetch of late) {
    noteLateness(fetch, { sink: nodes[fetch.to]!, source: nodes[fetch.from] }, doubtUntil)
    fetches.markLate(fetch)
  }
  const down = findTypicalRate(alive.map((node) => node.down))
  const up = findTypicalRate(alive.map((node) => node.up))
  for (const node of alive) {
    if (node.aloneUntil <= now) node.aloneUntil = 0
    if (now - node.sentAt > FORGETTING_MS) node.up.samples = 0
    // What comes into it may be held up elsewhere: what it passes on tells more.
    node.isSlow = isKnown(node.up) ? isSlow(node.up, up) : isSlow(node.down, down)
    spread.setTrusted(node, isReliable(node, now))
    fetches.sort(node)
  }
  return late.filter(({ isReplaced }) => !isReplaced)
}
