import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../../support/eventually.ts'
import type { Load } from '../../support/load.ts'
import { expectRun, type Standing } from './expectations.ts'
import { buildFaultyImage, writeFaults } from './faulty-image.ts'
import type { Fault } from './faulty-main.ts'
import { hasFailed, scenario } from './scenario.ts'
import { type SwarmFleet, startSwarmFleet } from './swarm-fleet.ts'

/** What each of the three series has to answer, so that together they answer 100,000. */
const REQUESTS = 34_000

export type SeriesOptions = {
  /** Sound generations beside `dg_1` and `dg_2`. */
  readonly sound?: readonly string[]
  /** Generations that index services misbehave with, and how. */
  readonly faults?: Readonly<Record<string, Fault>>
  /** How long tasks may take to become ready: with some faults a scenario waits for its end. */
  readonly deadlineSeconds?: number
  /** Requests of the load; fewer leave more of the processor to all else. */
  readonly perSecond?: number
}

/** Updates that follow each other on one fleet, under a load that must notice none of them. */
export type UpdateSeries = {
  /** The fleet, as soon as tests begin. */
  readonly fleet: () => SwarmFleet
  /** Serves `dg_1` and begins the load. */
  begin(): Promise<void>
  /** Waits until the load has sent that many more requests. */
  answered(count: number): Promise<void>
  /** Declares the scenario of an update to a generation whose index services misbehave, and of the same command again. */
  goesBack(generation: string, what: string, expected: Return): void
  /** Declares the last scenario: no request has failed, and these generations have answered. */
  endsUnharmed(generations: readonly string[]): void
}

/** The words that the update has to end with, and what it has to leave. */
export type Return = { readonly words: RegExp; readonly standing: Standing }

/** Brings a fleet up before the tests of this file, and takes it down after them. */
export function createUpdateSeries(options: SeriesOptions): UpdateSeries {
  let fleet: SwarmFleet
  let load: Load | undefined
  test.before(async () => {
    fleet = await startSeriesFleet(options)
  })
  test.after(async () => {
    await load?.stop()
    await fleet?.stop({ hasFailed: hasFailed() })
  })
  const seen = async (goal: number, deadlineMs: number) =>
    await eventually(() => assert.ok(load!.seen() >= goal, `only ${load!.seen()} requests`), deadlineMs)
  return {
    fleet: () => fleet,
    answered: (count) => seen(load!.seen() + count, 60_000),
    async begin() {
      await expectRun(fleet, ['update-indices', 'dg_1'], { code: 0, serving: 'dg_1' })
      load = fleet.load({ perSecond: options.perSecond ?? 250 })
    },
    goesBack(generation, what, { words, standing }) {
      scenario(`goes back from an index that ${what}, and refuses it the next time`, async () => {
        const { json } = await expectRun(fleet, ['update-indices', generation], { code: 20, ...standing })
        assert.is(json.outcome, 'rolled-back')
        assert.match(json.error.message, words)
        await expectRun(fleet, ['update-indices', generation], { code: 14, ...standing })
      })
    },
    endsUnharmed(generations) {
      scenario('has failed no request and mixed no generations over the whole series', async () => {
        await seen(REQUESTS, 300_000)
        const { requests, failures, mixed, byGeneration } = await load!.stop()
        console.log(`${requests} requests, ${failures.length} failed, ${mixed.length} mixed`, byGeneration)
        assert.equal([failures, mixed], [[], []])
        assert.equal(Object.keys(byGeneration).sort(), generations)
      })
    },
  }
}

async function startSeriesFleet({ sound = [], faults = {}, deadlineSeconds = 60 }: SeriesOptions) {
  // A node more than gateways need in order to move all at once.
  const fleet = await startSwarmFleet({
    nodes: 4,
    prepareImage: buildFaultyImage,
    profile: { update: { deadlineSeconds } },
  })
  for (const name of ['dg_1', 'dg_2', ...sound, ...Object.keys(faults)]) await fleet.makeGeneration(name)
  await writeFaults(fleet.lab, faults)
  return fleet
}
