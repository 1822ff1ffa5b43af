import { PieceDispatch } from './piece-dispatch.ts'
import { type FetchLimits, PieceFetches } from './piece-fetches.ts'
import { CONTROL, type Fetch, type UnderWay } from './piece-planner-types.ts'
import { reviewNodes } from './piece-review.ts'
import { hasPiece } from './piece-set.ts'
import { PieceSpread } from './piece-spread.ts'
import { type Ends, isReliable, noteFailure, noteSpeed, noteSuccess } from './piece-trust.ts'
import type { PlannedNode } from './planned-node.ts'
import { createRandom } from './random.ts'

export type PiecePlannerOptions = Partial<FetchLimits> & {
  /** Bytes of each piece. */
  readonly pieces: Uint32Array | readonly number[]
  readonly seed?: number
}

/** Decides which node gets which piece from whom. Times are in ms of any clock that only goes forward. */
export type PiecePlanner = {
  /** A node, with the pieces that it has already; its position. May come at any time. */
  join(have: Iterable<number>, now: number): number
  /** It is gone or has been given up: nothing is fetched from it or for it any more. */
  leave(node: number, now: number): void
  /** The piece came; other tries for it, if any, are forgotten with it. */
  received(fetch: Fetch, now: number): void
  /** It did not come, and is tried again. Without a culprit the source is to blame, unless everything into the sink fails. */
  failed(fetch: Fetch, now: number, culprit?: 'source' | 'sink'): void
  /** Fetches to begin now, second tries among them. To be called after each event and at `wakeAt`. */
  next(now: number): Fetch[]
  /** When `next` must be called at the latest; Infinity while only events matter. */
  wakeAt(): number
  isComplete(node: number): boolean
  /** Pieces that a node lacks. */
  missing(node: number): number
  /** Bytes per ms that come into a node at its best; undefined before the first piece. */
  rate(node: number): number | undefined
}

const LIMITS: FetchLimits = { intake: 6, uploads: 7, controlUploads: 8 }
const FIRST_REVIEW_MS = 100
const LEAST_REVIEW_MS = 20
const PACE_SHARE = 1 / 64

/** Plans so that the control host sends each piece once, nodes the rest to each other, and slow ones hold nobody up. */
export function createPiecePlanner(options: PiecePlannerOptions): PiecePlanner {
  const { pieces, seed = 1 } = options
  const limits = { ...LIMITS, ...options }
  const spread = new PieceSpread(pieces.length)
  const fetches = new PieceFetches(spread, limits)
  const dispatch = new PieceDispatch(spread, fetches, { limits, random: createRandom(seed) })
  const { nodes, incomplete } = spread
  const usualBytes = Uint32Array.from(pieces).reduce((most, bytes) => Math.max(most, bytes), 1)
  const changed = new Set<PlannedNode>()
  let pace = 0
  let reviewAt = Number.POSITIVE_INFINITY
  const usualMs = () => (pace === 0 ? FIRST_REVIEW_MS : pace * usualBytes)
  const find = ({ to, from, piece }: Fetch) =>
    nodes[to]?.fetches.find((each) => each.piece === piece && each.from === from)

  function end(fetch: UnderWay): void {
    fetches.end(fetch)
    changed.add(nodes[fetch.to]!)
    if (fetch.from !== CONTROL) changed.add(nodes[fetch.from]!)
  }

  function judge({ sink, source }: Ends, now: number): void {
    for (const node of source ? [sink, source] : [sink]) {
      const isTrusted = isReliable(node, now)
      if (isTrusted !== node.isTrusted) spread.setTrusted(node, isTrusted)
      fetches.sort(node)
    }
  }

  function learn(fetch: UnderWay, ends: Ends, now: number): void {
    noteSuccess(ends, now)
    const bytes = pieces[fetch.piece]!
    // The time of a small piece tells more of the way than of the link.
    if (bytes * 2 < usualBytes) return
    noteSpeed(fetch, ends, { bytes, now })
    const took = (now - fetch.since) / bytes
    if (ends.sink.isTrusted) pace = pace === 0 ? took : pace + (took - pace) * PACE_SHARE
  }

  function review(now: number): void {
    const bytesOf = (piece: number) => pieces[piece]!
    dispatch.rescue(reviewNodes(spread, fetches, { now, pace, usualMs: usualMs(), bytesOf }), now)
    reviewAt = incomplete.size > 0 ? now + Math.max(LEAST_REVIEW_MS, usualMs()) : Number.POSITIVE_INFINITY
  }

  return {
    join(have, now) {
      const node = spread.join(have)
      fetches.sort(node)
      changed.add(node)
      reviewAt = Math.min(reviewAt, now + FIRST_REVIEW_MS)
      return node.index
    },
    leave(index) {
      const node = nodes[index]!
      if (!node.isAlive) return
      spread.leave(node)
      const own = incomplete.sample(incomplete.size, 0).flatMap((other) => other.fetches)
      for (const fetch of [...node.fetches, ...own.filter(({ from }) => from === index)]) end(fetch)
      fetches.sort(node)
    },
    received(fetch, now) {
      const { to, from, piece } = fetch
      const sink = nodes[to]!
      if (!sink.isAlive || hasPiece(sink.have, piece)) return
      const ends = { sink, source: nodes[from] }
      const underWay = find(fetch)
      if (underWay) learn(underWay, ends, now)
      for (const each of sink.fetches.filter((other) => other.piece === piece)) end(each)
      spread.addHolder(sink, piece)
      changed.add(sink)
      judge(ends, now)
    },
    failed(fetch, now, culprit) {
      const underWay = find(fetch)
      if (!underWay) return
      end(underWay)
      const ends = { sink: nodes[fetch.to]!, source: nodes[fetch.from] }
      noteFailure(ends, { culprit, now })
      judge(ends, now)
    },
    next(now) {
      fetches.measureCrowd()
      dispatch.feed(now)
      if (now >= reviewAt) review(now)
      for (const node of changed) dispatch.match(node, now)
      changed.clear()
      dispatch.feed(now)
      return dispatch.takePlan()
    },
    wakeAt: () => reviewAt,
    isComplete: (node) => nodes[node]!.missing === 0,
    missing: (node) => nodes[node]!.missing,
    rate: (node) => (nodes[node]!.down.samples === 0 ? undefined : nodes[node]!.down.perMs),
  }
}
