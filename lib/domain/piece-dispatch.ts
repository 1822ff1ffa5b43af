import type { FetchLimits, PieceFetches } from './piece-fetches.ts'
import { createPieceMatching, type PieceMatching } from './piece-matching.ts'
import { CONTROL, type Fetch, type UnderWay } from './piece-planner-types.ts'
import type { PieceSpread } from './piece-spread.ts'
import type { PlannedNode } from './planned-node.ts'

/** Pieces that the control host sends although others have them, of all, beside a few that are always allowed. */
const HELP_SHARE = 1 / 50
const FEW_HELPS = 2
/** Second tries, of all fetches, beside a few that are always allowed. */
const SECOND_TRY_SHARE = 1 / 50
const FEW_SECOND_TRIES = 16
/** For one piece into one node at once. */
const MOST_TRIES = 3
const RETRIED_AT_REVIEW = 64

/** Chooses which fetches begin. */
export class PieceDispatch {
  readonly #spread: PieceSpread
  readonly #fetches: PieceFetches
  readonly #matching: PieceMatching
  readonly #limits: FetchLimits
  readonly #random: () => number
  #plan: Fetch[] = []
  #helps = 0
  #secondTries = 0
  #begun = 0

  constructor(
    spread: PieceSpread,
    fetches: PieceFetches,
    { limits, random }: { readonly limits: FetchLimits; readonly random: () => number },
  ) {
    this.#spread = spread
    this.#fetches = fetches
    this.#matching = createPieceMatching(spread, fetches, random)
    this.#limits = limits
    this.#random = random
  }

  /** What was begun since it was last asked for. */
  takePlan(): Fetch[] {
    const plan = this.#plan
    this.#plan = []
    return plan
  }

  /** Uses what room there is at the control host. */
  feed(now: number): void {
    const { eager, incomplete } = this.#spread
    const others = eager.size > 0 ? eager.size : incomplete.size
    const mostInto = Math.ceil(this.#limits.controlUploads / Math.max(1, others))
    while (this.#fetches.controlRoom > 0) {
      const fetch = this.#matching.forFresh(mostInto) ?? this.#findForCutOff() ?? this.#findHelp()
      if (!fetch) return
      this.#begin(fetch, now)
    }
  }

  /** Uses what room a node has, as sink and as source. */
  match(node: PlannedNode, now: number): void {
    const { hungry, open } = this.#fetches
    for (let fetch: Fetch | undefined; hungry.has(node); this.#begin(fetch, now)) {
      fetch = this.#matching.forSink(node)
      if (!fetch) break
    }
    for (let fetch: Fetch | undefined; open.has(node); this.#begin(fetch, now)) {
      fetch = this.#matching.forSource(node)
      if (!fetch) break
    }
  }

  /** Second tries for what is late, and another look for what whoever waits may fetch. */
  rescue(late: readonly UnderWay[], now: number): void {
    for (const fetch of late) this.#tryAgain(fetch, now)
    for (const node of this.#fetches.hungry.sample(RETRIED_AT_REVIEW, this.#random())) this.match(node, now)
    this.feed(now)
  }

  #begin(fetch: Fetch, now: number): void {
    this.#plan.push(this.#fetches.begin(fetch, now))
    this.#begun++
  }

  /** A node that can fetch from nobody gets all from the control host. */
  #findForCutOff(): Fetch | undefined {
    const [sink] = this.#fetches.cutOff.sample(1, this.#random())
    return sink && this.#matching.fromControl(sink)
  }

  /** Nodes wait while the control host has nothing that is new: it gives them a little of what others have. */
  #findHelp(): Fetch | undefined {
    if (!this.#canHelp()) return undefined
    const [sink] = this.#fetches.hungry.sample(1, this.#random())
    const help = sink && this.#matching.fromControl(sink)
    if (help) this.#helps++
    return help
  }

  #canHelp(): boolean {
    return this.#fetches.controlRoom > 0 && this.#helps < FEW_HELPS + this.#spread.copies.length * HELP_SHARE
  }

  #tryAgain(late: UnderWay, now: number): void {
    const tries = this.#spread.nodes[late.to]!.fetches.filter(({ piece }) => piece === late.piece).length
    const most = FEW_SECOND_TRIES + this.#begun * SECOND_TRY_SHARE
    if (tries >= MOST_TRIES || this.#secondTries >= most) return
    const fetch = this.#matching.beside(late)
    if (!fetch || (fetch.from === CONTROL && !this.#canHelp())) return
    if (fetch.from === CONTROL) this.#helps++
    this.#secondTries++
    this.#fetches.replace(late)
    this.#begin(fetch, now)
  }
}
