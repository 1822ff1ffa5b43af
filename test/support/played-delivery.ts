import * as assert from 'uvu/assert'
import { createPiecePlanner, type PiecePlanner } from '../../lib/domain/piece-planner.ts'
import { CONTROL, type Fetch, type UnderWay } from '../../lib/domain/piece-planner-types.ts'

export const LIMITS = { intake: 3, uploads: 4, controlUploads: 5 }
export const PIECE_BYTES = 1_000

/** A delivery whose transfers a test ends as it likes; each plan is held against what every plan promises. */
export type PlayedDelivery = {
  readonly planner: PiecePlanner
  readonly underWay: readonly Fetch[]
  /** All that was ever planned. */
  readonly planned: readonly Fetch[]
  /** Those of them that began beside another one for the same piece. */
  readonly secondTries: ReadonlySet<Fetch>
  now(): number
  join(have?: readonly number[]): number
  leave(node: number): void
  finish(fetch: Fetch): void
  fail(fetch: Fetch, culprit?: 'source' | 'sink'): void
  /** Lets time pass, and what is to be planned then be planned. */
  pass(ms: number): void
  /** Ends whatever is under way, oldest first, each after `ms`, until nothing is or `steps` are over. */
  finishAll(ms?: number, steps?: number): void
}

export function playDelivery(pieces: number, seed = 1): PlayedDelivery {
  const planner = createPiecePlanner({ pieces: new Array(pieces).fill(PIECE_BYTES), seed, ...LIMITS })
  const holdings: (Set<number> | undefined)[] = []
  const planned: Fetch[] = []
  const secondTries = new Set<Fetch>()
  const retried = new Set<Fetch>()
  let underWay: Fetch[] = []
  let now = 0

  function plan(): void {
    for (const fetch of planner.next(now)) {
      checkFetch(fetch)
      if (isSecondTry(underWay, fetch)) {
        secondTries.add(fetch)
        for (const other of underWay)
          if (other.to === fetch.to && other.piece === fetch.piece) retried.add(other)
      }
      underWay.push(fetch)
      planned.push(fetch)
    }
    checkLimits()
  }

  function checkFetch({ to, from, piece }: Fetch): void {
    const name = `piece ${piece} from ${from} to ${to}`
    const sink = holdings[to]
    assert.ok(sink && !sink.has(piece), `${name}: the sink is there and lacks it`)
    assert.ok(from === CONTROL || holdings[from]?.has(piece), `${name}: the source is there and has it`)
    const others = underWay.filter((other) => other.to === to && other.piece === piece)
    assert.not(
      others.some((other) => other.from === from),
      `${name}: asked twice of the same source`,
    )
    assert.ok(others.length < 3, `${name}: ${others.length} tries at once`)
  }

  /** One that another took the place of counts again when that one fails, though its place may be taken by then. */
  function isOnlyTry(fetch: Fetch): boolean {
    return !secondTries.has(fetch) && !retried.has(fetch)
  }

  function checkLimits(): void {
    const count = (belongs: (fetch: Fetch) => boolean) => underWay.filter(belongs).length
    const puts = count((fetch) => fetch.from === CONTROL && !(fetch as UnderWay).isLate)
    assert.ok(puts <= LIMITS.controlUploads, `${puts} out of the control host`)
    for (const node of holdings.keys()) {
      const into = count((fetch) => fetch.to === node && fetch.from !== CONTROL && isOnlyTry(fetch))
      assert.ok(into <= LIMITS.intake, `${into} into ${node}`)
      assert.ok(count(({ from }) => from === node) <= LIMITS.uploads, `out of ${node}`)
    }
  }

  function finish(fetch: Fetch): void {
    assert.ok(underWay.includes(fetch))
    const { to, piece } = fetch
    underWay = underWay.filter((other) => other.to !== to || other.piece !== piece)
    holdings[to]!.add(piece)
    planner.received(fetch, now)
    plan()
  }

  return {
    planner,
    planned,
    secondTries,
    get underWay() {
      return underWay
    },
    now: () => now,
    join(have = []) {
      const node = planner.join(have, now)
      holdings[node] = new Set(have)
      plan()
      return node
    },
    leave(node) {
      holdings[node] = undefined
      underWay = underWay.filter(({ to, from }) => to !== node && from !== node)
      planner.leave(node, now)
      plan()
    },
    finish,
    fail(fetch, culprit) {
      underWay = underWay.filter((other) => other !== fetch)
      planner.failed(fetch, now, culprit)
      plan()
    },
    pass(ms) {
      now += ms
      plan()
    },
    finishAll(ms = 10, steps = 100_000) {
      for (let step = 0; step < steps && underWay[0] !== undefined; step++) {
        now += ms
        finish(underWay[0])
      }
    },
  }
}

function isSecondTry(earlier: readonly Fetch[], { to, piece }: Fetch): boolean {
  return earlier.some((other) => other.to === to && other.piece === piece)
}
