import { createPieceFetches, type FetchLimits, noteSuccess } from './piece-fetches.ts'
import { createPieceMatching } from './piece-matching.ts'
import { CONTROL, type Fetch, type PlannedNode, type UnderWay } from './piece-planner-types.ts'
import { reviewNodes } from './piece-review.ts'
import { hasPiece } from './piece-set.ts'
import { createPieceSpread } from './piece-spread.ts'
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
/** Pieces that the control host sends although others have them, and second tries, of all. */
const HELP_SHARE = 1 / 32
const SECOND_TRY_SHARE = 1 / 50
const LEAST_SECOND_TRIES = 16
const MOST_TRIES = 3
const FIRST_REVIEW_MS = 100
const LEAST_REVIEW_MS = 20
const RETRIED_AT_REVIEW = 64
const PACE_SHARE = 1 / 64
const FAILURES_OF_SINK = 3
const AVOID_MS = 500
const MOST_DOUBLINGS = 6

/** Plans so that the control host sends each piece once, nodes the rest to each other, and slow ones hold nobody up. */
export function createPiecePlanner(options: PiecePlannerOptions): PiecePlanner {
  const { pieces, seed = 1 } = options
  const limits = { ...LIMITS, ...options }
  const random = createRandom(seed)
  const spread = createPieceSpread(pieces.length)
  const fetches = createPieceFetches(spread, limits)
  const matching = createPieceMatching(spread, fetches, random)
  const { nodes, eager, incomplete } = spread
  const bytesOf = (piece: number) => pieces[piece]!
  const usualBytes = Math.max(1, bytesOf(0) ?? 1)
  const changed = new Set<PlannedNode>()
  let plan: Fetch[] = []
  let pace = 0
  let helps = 0
  let secondTries = 0
  let begun = 0
  let reviewAt = Number.POSITIVE_INFINITY

  const begin = (fetch: Fetch, now: number) => {
    const underWay = fetches.begin(fetch, now)
    begun++
    plan.push(underWay)
  }
  const end = (fetch: UnderWay) => {
    fetches.end(fetch)
    changed.add(nodes[fetch.to]!)
    if (fetch.from !== CONTROL) changed.add(nodes[fetch.from]!)
  }
  const find = ({ to, from, piece }: Fetch) =>
    nodes[to]?.fetches.find((each) => each.piece === piece && each.from === from)
  const usualMs = () => (pace === 0 ? FIRST_REVIEW_MS : pace * usualBytes)

  function feed(now: number): void {
    const others = eager.size > 0 ? eager.size : incomplete.size
    const mostInto = Math.ceil(limits.controlUploads / Math.max(1, others))
    while (fetches.controlRoom > 0) {
      const fetch = matching.forFresh(mostInto) ?? findHelp()
      if (!fetch) return
      begin(fetch, now)
    }
  }

  /** Nodes wait while the control host has nothing that is new: it gives them a little of what others have. */
  function findHelp(): Fetch | undefined {
    if (helps >= pieces.length * HELP_SHARE) return undefined
    const [sink] = fetches.hungry.sample(1, random())
    const help = sink && matching.fromControl(sink)
    if (help) helps++
    return help
  }

  function match(node: PlannedNode, now: number): void {
    while (fetches.hungry.has(node)) {
      const fetch = matching.forSink(node)
      if (!fetch) break
      begin(fetch, now)
    }
    while (fetches.open.has(node)) {
      const fetch = matching.forSource(node)
      if (!fetch) break
      begin(fetch, now)
    }
  }

  function review(now: number): void {
    const { late, starving } = reviewNodes(spread, fetches, { now, pace, usualMs: usualMs(), bytesOf })
    for (const fetch of late) {
      fetches.markLate(fetch)
      tryAgain(fetch, now)
    }
    for (const node of fetches.hungry.sample(RETRIED_AT_REVIEW, random())) match(node, now)
    feed(now)
    for (const node of starving.slice(0, RETRIED_AT_REVIEW)) serve(node, now)
    reviewAt = incomplete.size > 0 ? now + Math.max(LEAST_REVIEW_MS, usualMs()) : Number.POSITIVE_INFINITY
  }

  function tryAgain(late: UnderWay, now: number): void {
    const { to, piece } = late
    const tries = nodes[to]!.fetches.filter((each) => each.piece === piece).length
    if (tries >= MOST_TRIES || secondTries >= LEAST_SECOND_TRIES + begun * SECOND_TRY_SHARE) return
    const fetch = matching.beside(late)
    if (!fetch) return
    if (fetch.from === CONTROL && fetches.controlRoom <= 0) return
    secondTries++
    fetches.replace(late)
    begin(fetch, now)
  }

  /** For a node with nothing under way: whoever has something for it, in the end the control host, which has all. */
  function serve(node: PlannedNode, now: number): void {
    const found = fetches.hungry.has(node) ? matching.forSink(node, nodes.length) : undefined
    const canFeed = node.fetches.length === 0 && fetches.controlRoom > 0
    const fetch = found ?? (canFeed ? matching.fromControl(node) : undefined)
    if (fetch) begin(fetch, now)
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
      for (const fetch of [...node.fetches]) end(fetch)
      for (const other of incomplete.sample(incomplete.size, 0)) {
        for (const fetch of other.fetches.filter(({ from }) => from === index)) end(fetch)
      }
      fetches.sort(node)
    },
    received(fetch, now) {
      const { to, from, piece } = fetch
      const sink = nodes[to]!
      if (!sink.isAlive || hasPiece(sink.have, piece)) return
      const bytes = bytesOf(piece)
      const underWay = find(fetch)
      if (underWay) {
        noteSuccess(underWay, { sink, source: nodes[from], bytes, now })
        const took = (now - underWay.since) / bytes
        if (sink.isTrusted) pace = pace === 0 ? took : pace + (took - pace) * PACE_SHARE
      }
      for (const each of sink.fetches.filter((other) => other.piece === piece)) end(each)
      if (hasPiece(sink.wanted, piece)) sink.wantedCount--
      spread.addHolder(sink, piece)
      fetches.sort(sink)
      changed.add(sink)
    },
    failed(fetch, now, culprit) {
      const underWay = find(fetch)
      if (!underWay) return
      end(underWay)
      const sink = nodes[fetch.to]!
      const source = nodes[fetch.from]
      if (!source) return
      const delay = (failures: number) => now + AVOID_MS * 2 ** Math.min(failures, MOST_DOUBLINGS)
      if (culprit !== 'source' && ++sink.failedInto >= FAILURES_OF_SINK)
        sink.aloneUntil = delay(sink.failedInto)
      if (culprit !== 'sink' && sink.failedInto < FAILURES_OF_SINK) {
        source.avoidedUntil = delay(source.failedOutOf++)
        spread.setTrusted(source, false)
      }
      fetches.sort(sink)
      fetches.sort(source)
    },
    next(now) {
      plan = []
      fetches.measureCrowd()
      feed(now)
      if (now >= reviewAt) review(now)
      for (const node of changed) match(node, now)
      changed.clear()
      feed(now)
      return plan
    },
    wakeAt: () => reviewAt,
    isComplete: (node) => nodes[node]!.missing === 0,
    missing: (node) => nodes[node]!.missing,
    rate: (node) => (nodes[node]!.down.samples === 0 ? undefined : nodes[node]!.down.perMs),
  }
}
