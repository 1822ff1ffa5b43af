import { noteFetch } from './link-rate.ts'
import type { UnderWay } from './piece-planner-types.ts'
import type { PlannedNode } from './planned-node.ts'

const PACE_SHARE = 0.25
const FAILURES_OF_SINK = 3
const AVOID_MS = 500
const MOST_DOUBLINGS = 6

/** The two ends of a fetch; no source where it comes from the control host. */
export type Ends = { readonly sink: PlannedNode; readonly source: PlannedNode | undefined }

/** Whether others may rely on a node: it keeps up, and is neither silent nor did fetches from it fail just now. */
export function isReliable(
  { isAlive, isSlow, avoidedUntil, doubtedUntil }: PlannedNode,
  now: number,
): boolean {
  return isAlive && !isSlow && avoidedUntil <= now && doubtedUntil <= now
}

/** Learns from a fetch that ended well that both nodes work. */
export function noteSuccess({ sink, source }: Ends, now: number): void {
  sink.receivedAt = now
  sink.doubtedUntil = 0
  if (!source) return
  source.sentAt = now
  source.doubtedUntil = 0
  source.avoidedUntil = 0
  source.failedOutOf = 0
  sink.failedInto = 0
}

/** Learns from a fetch of a piece that is large enough how fast both links are. */
export function noteSpeed(
  { since, together }: UnderWay,
  ends: Ends,
  { bytes, now }: { bytes: number; now: number },
): void {
  const { sink, source } = ends
  const ms = now - since
  const pace = ms / bytes
  noteFetch(sink.down, bytes, { ms, shared: Math.min(together.into, sink.fetching + sink.feeding) })
  sink.pace = sink.pace === 0 ? pace : sink.pace + (pace - sink.pace) * PACE_SHARE
  if (source) noteFetch(source.up, bytes, { ms, shared: Math.min(together.outOf, source.uploading) })
}

/**
 * Learns from a fetch that failed: its source is avoided, or where nothing gets into the sink, the sink is left alone. All
 * that was under way between the two fails with one connection, and counts once.
 */
export function noteFailure(
  { since }: UnderWay,
  { sink, source }: Ends,
  { culprit, now }: { readonly culprit: 'source' | 'sink' | undefined; readonly now: number },
): void {
  if (!source) return
  const delay = (failures: number) => now + AVOID_MS * 2 ** Math.min(failures, MOST_DOUBLINGS)
  const isKnown = since <= (sink.failedFrom.get(source.index) ?? Number.NEGATIVE_INFINITY)
  if (isKnown) return
  sink.failedFrom.set(source.index, now)
  if (culprit !== 'source') sink.failedInto++
  if (sink.failedInto >= FAILURES_OF_SINK) sink.aloneUntil = delay(sink.failedInto - FAILURES_OF_SINK)
  else if (culprit !== 'sink') source.avoidedUntil = delay(source.failedOutOf++)
}

/** Of a late fetch, the end that did nothing since it began is doubted; where both did nothing, both are. */
export function noteLateness({ since }: UnderWay, { sink, source }: Ends, until: number): void {
  if (sink.receivedAt <= since) sink.doubtedUntil = until
  if (source && source.sentAt <= since) source.doubtedUntil = until
}
