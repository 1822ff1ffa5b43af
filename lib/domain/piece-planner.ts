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
  /** A node, with the pieces that it has already, and others that it has no use for; its position. May come at any time. */
  join(have: Iterable<number>, now: number, useless?: readonly number[]): number
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

const FIRST_REVIEW_MS = 100
const LEAST_REVIEW_MS = 20
const PACE_SHARE = 1 / 64

/**
 * What is ordered and told takes a while to get there: with fewer fetches under way, links would be idle meanwhile. Of few
 * pieces, so many at once would be a large part of all, and everybody would wait for the same ones. Found by simulation.
 */
function chooseLimits(pieces: number): FetchLimits {
  const between = (least: number, most: number) => Math.min(most, Math.max(least, Math.floor(pieces / 16)))
  return { intake: between(6, 14), uploads: between(7, 16), controlUploads: between(8, 16) }
}

/** Plans so that the control host sends each piece once, nodes the rest to each other, and slow ones hold nobody up. */
export function createPiecePlanner(options: PiecePlannerOptions): PiecePlanner {
  return new Planner(options)
}

class Planner implements PiecePlanner {
  readonly #pieces: Uint32Array
  readonly #usualBytes: number
  readonly #spread: PieceSpread
  readonly #fetches: PieceFetches
  readonly #dispatch: PieceDispatch
  /** Nodes that may have room or something to pass on since the last plan. */
  readonly #changed = new Set<PlannedNode>()
  /** Usual ms per byte; 0 before the first piece. */
  #pace = 0
  #reviewAt = Number.POSITIVE_INFINITY

  constructor({ pieces, seed = 1, ...limits }: PiecePlannerOptions) {
    this.#pieces = Uint32Array.from(pieces)
    this.#usualBytes = this.#pieces.reduce((most, bytes) => Math.max(most, bytes), 1)
    this.#spread = new PieceSpread(pieces.length)
    const all = { limits: { ...chooseLimits(pieces.length), ...limits }, random: createRandom(seed) }
    this.#fetches = new PieceFetches(this.#spread, all.limits)
    this.#dispatch = new PieceDispatch(this.#spread, this.#fetches, all)
  }

  join(have: Iterable<number>, now: number, useless?: readonly number[]): number {
    const node = this.#spread.join(have, useless)
    this.#fetches.sort(node)
    this.#changed.add(node)
    this.#reviewAt = Math.min(this.#reviewAt, now + FIRST_REVIEW_MS)
    return node.index
  }

  leave(index: number): void {
    const { nodes, incomplete } = this.#spread
    const node = nodes[index]!
    if (!node.isAlive) return
    this.#spread.leave(node)
    const others = incomplete.sample(incomplete.size, 0).flatMap(({ fetches }) => fetches)
    for (const fetch of [...node.fetches, ...others.filter(({ from }) => from === index)]) this.#end(fetch)
    this.#fetches.sort(node)
  }

  received(fetch: Fetch, now: number): void {
    const { to, from, piece } = fetch
    const { nodes } = this.#spread
    const sink = nodes[to]!
    if (!sink.isAlive || hasPiece(sink.have, piece)) return
    const ends = { sink, source: nodes[from] }
    const underWay = this.#find(fetch)
    if (underWay) this.#learn(underWay, ends, now)
    for (const each of sink.fetches.filter((other) => other.piece === piece)) this.#end(each)
    this.#spread.addHolder(sink, piece)
    this.#changed.add(sink)
    this.#judge(ends, now)
  }

  failed(fetch: Fetch, now: number, culprit?: 'source' | 'sink'): void {
    const underWay = this.#find(fetch)
    if (!underWay) return
    this.#end(underWay)
    const { nodes } = this.#spread
    const ends = { sink: nodes[fetch.to]!, source: nodes[fetch.from] }
    noteFailure(underWay, ends, { culprit, now })
    this.#judge(ends, now)
  }

  next(now: number): Fetch[] {
    this.#fetches.measureCrowd()
    this.#dispatch.feed(now)
    if (now >= this.#reviewAt) this.#review(now)
    for (const node of this.#changed) this.#dispatch.match(node, now)
    this.#changed.clear()
    this.#dispatch.feed(now)
    return this.#dispatch.takePlan()
  }

  wakeAt(): number {
    return this.#reviewAt
  }

  isComplete(node: number): boolean {
    return this.missing(node) === 0
  }

  missing(node: number): number {
    return this.#spread.nodes[node]!.missing
  }

  rate(node: number): number | undefined {
    const { perMs, samples } = this.#spread.nodes[node]!.down
    return samples === 0 ? undefined : perMs
  }

  #find({ to, from, piece }: Fetch): UnderWay | undefined {
    return this.#spread.nodes[to]?.fetches.find((each) => each.piece === piece && each.from === from)
  }

  #end(fetch: UnderWay): void {
    const { nodes } = this.#spread
    this.#fetches.end(fetch)
    this.#changed.add(nodes[fetch.to]!)
    if (fetch.from !== CONTROL) this.#changed.add(nodes[fetch.from]!)
  }

  #judge({ sink, source }: Ends, now: number): void {
    for (const node of source ? [sink, source] : [sink]) {
      this.#spread.setTrusted(node, isReliable(node, now))
      this.#fetches.sort(node)
    }
  }

  #learn(fetch: UnderWay, ends: Ends, now: number): void {
    noteSuccess(ends, now)
    const bytes = this.#pieces[fetch.piece]!
    // The time of a small piece tells more of the way than of the link.
    if (bytes * 2 < this.#usualBytes) return
    noteSpeed(fetch, ends, { bytes, now })
    if (!ends.sink.isTrusted) return
    const took = (now - fetch.since) / bytes
    this.#pace = this.#pace === 0 ? took : this.#pace + (took - this.#pace) * PACE_SHARE
  }

  #review(now: number): void {
    const usualMs = this.#pace * this.#usualBytes
    const paceMs = ({ pace }: PlannedNode) => pace * this.#usualBytes
    this.#dispatch.rescue(reviewNodes(this.#spread, this.#fetches, { now, usualMs, paceMs }), now)
    const isOver = this.#spread.incomplete.size === 0
    const waitMs = usualMs === 0 ? FIRST_REVIEW_MS : Math.max(LEAST_REVIEW_MS, usualMs)
    this.#reviewAt = isOver ? Number.POSITIVE_INFINITY : now + waitMs
  }
}
