import type { FetchLimits, PieceFetches } from './piece-fetches.ts'
import { createPieceMatching } from './piece-matching.ts'
import { CONTROL, type Fetch, type PlannedNode, type UnderWay } from './piece-planner-types.ts'
import type { PieceSpread } from './piece-spread.ts'

/** Pieces that the control host sends although others have them, of all. */
const HELP_SHARE = 1 / 40
/** Second tries, of all fetches, beside a few that are always allowed. */
const SECOND_TRY_SHARE = 1 / 50
const FEW_SECOND_TRIES = 16
/** For one piece into one node at once. */
const MOST_TRIES = 3
const RETRIED_AT_REVIEW = 64

/** Chooses what begins; what it begins is in `plan`, to be taken from there. */
export type PieceDispatch = {
  takePlan(): Fetch[]
  /** Uses what room there is at the control host. */
  feed(now: number): void
  /** Uses what room a node has, as sink and as source. */
  match(node: PlannedNode, now: number): void
  /** Second tries for what is late, and another look for what whoever waits may fetch. */
  rescue(late: readonly UnderWay[], now: number): void
}

export function createPieceDispatch(
  spread: PieceSpread,
  fetches: PieceFetches,
  { limits, random }: { readonly limits: FetchLimits; readonly random: () => number },
): PieceDispatch {
  const matching = createPieceMatching(spread, fetches, random)
  const { nodes, copies, eager, incomplete } = spread
  const { open, hungry } = fetches
  let plan: Fetch[] = []
  let helps = 0
  let secondTries = 0
  let begun = 0

  const begin = (fetch: Fetch, now: number) => {
    plan.push(fetches.begin(fetch, now))
    begun++
  }

  /** Nodes wait while the control host has nothing that is new: it gives them a little of what others have. */
  const findHelp = () => {
    if (helps >= copies.length * HELP_SHARE) return undefined
    const [sink] = hungry.sample(1, random())
    const help = sink && matching.fromControl(sink)
    if (help) helps++
    return help
  }

  /** A node that can fetch from nobody gets all from the control host. */
  const findForCutOff = () => {
    const [sink] = fetches.cutOff.sample(1, random())
    return sink && matching.fromControl(sink)
  }

  const feed = (now: number) => {
    const others = eager.size > 0 ? eager.size : incomplete.size
    const mostInto = Math.ceil(limits.controlUploads / Math.max(1, others))
    while (fetches.controlRoom > 0) {
      const fetch = matching.forFresh(mostInto) ?? findForCutOff() ?? findHelp()
      if (!fetch) return
      begin(fetch, now)
    }
  }

  const match = (node: PlannedNode, now: number) => {
    for (let fetch: Fetch | undefined; hungry.has(node); begin(fetch, now)) {
      fetch = matching.forSink(node)
      if (!fetch) break
    }
    for (let fetch: Fetch | undefined; open.has(node); begin(fetch, now)) {
      fetch = matching.forSource(node)
      if (!fetch) break
    }
  }

  const tryAgain = (late: UnderWay, now: number) => {
    const tries = nodes[late.to]!.fetches.filter(({ piece }) => piece === late.piece).length
    if (tries >= MOST_TRIES || secondTries >= FEW_SECOND_TRIES + begun * SECOND_TRY_SHARE) return
    const fetch = matching.beside(late)
    if (!fetch || (fetch.from === CONTROL && fetches.controlRoom <= 0)) return
    secondTries++
    fetches.replace(late)
    begin(fetch, now)
  }

  return {
    feed,
    match,
    takePlan() {
      const taken = plan
      plan = []
      return taken
    },
    rescue(late, now) {
      for (const fetch of late) tryAgain(fetch, now)
      for (const node of hungry.sample(RETRIED_AT_REVIEW, random())) match(node, now)
    },
  }
}
