import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../../support/eventually.ts'
import type { Run } from '../../support/fleet.ts'
import type { Load } from '../../support/load.ts'
import { buildFaultyImage, writeFaults } from './faulty-image.ts'
import type { Fault } from './faulty-main.ts'
import { hasFailed, scenario } from './scenario.ts'
import { type SwarmFleet, startSwarmFleet } from './swarm-fleet.ts'

/** Where tasks of each group are: on every other node of the profile. */
const NODES_OF_GROUPS = { first: ['n1', 'n3'], second: ['n2'] } as const

export type GroupSeriesOptions = {
  readonly sound: readonly string[]
  /** How index services of each group misbehave, by generation. */
  readonly faults: Readonly<Partial<Record<keyof typeof NODES_OF_GROUPS, Readonly<Record<string, Fault>>>>>
}

/** Updates by `replica-groups` that follow each other on one fleet, under a load that must notice none of them. */
export type GroupSeries = {
  /** The fleet, as soon as tests begin. */
  readonly fleet: () => SwarmFleet
  /** Declares the scenario in which both groups begin with `dg_1`, and the load too. */
  begins(): void
  /** Ends as it should, leaves this generation, and no other, in the tasks of both groups, and goes on answering. */
  expectMoved(run: Run, code: number, generation: string): Promise<Run>
  /** Declares the last scenario: no request has failed, and these generations have answered. */
  endsUnharmed(generations: readonly string[]): void
}

/** Brings a fleet up before the tests of this file, and takes it down after them. */
export function createGroupSeries({ sound, faults }: GroupSeriesOptions): GroupSeries {
  let fleet: SwarmFleet
  let load: Load | undefined
  test.before(async () => {
    fleet = await startSwarmFleet({
      nodes: 3,
      prepareImage: buildFaultyImage,
      profile: {
        update: { strategy: 'replica-groups' },
        swarm: { lameDuckSeconds: 1, graceSeconds: 5 },
      },
    })
    const bad = Object.values(faults).flatMap((one) => Object.keys(one))
    for (const name of [...sound, ...bad]) await fleet.makeGeneration(name)
    for (const group of ['first', 'second'] as const) {
      const nodes = fleet.lab.nodes.filter(({ name }) => NODES_OF_GROUPS[group].some((one) => one === name))
      await writeFaults({ ...fleet.lab, nodes }, faults[group] ?? {})
    }
  })
  test.after(async () => {
    await load?.stop()
    await fleet?.stop({ hasFailed: hasFailed() })
  })
  const expectMoved: GroupSeries['expectMoved'] = async (run, code, generation) => {
    assert.is(run.code, code, `${run.stdout}\n${run.stderr}`)
    await expectGroups(fleet, generation)
    load ??= fleet.load({ clients: 4, perSecond: 100 })
    const goal = load.seen() + 200
    await eventually(() => assert.ok(load!.seen() >= goal, 'the load stands still'), 60_000)
    return run
  }
  return {
    fleet: () => fleet,
    begins() {
      scenario('serves a first generation from both groups, each on nodes of its own', async () => {
        await expectMoved(await fleet.run('update-indices', 'dg_1'), 0, 'dg_1')
      })
    },
    expectMoved,
    endsUnharmed(generations) {
      scenario('has failed no request and mixed no generations', async () => {
        const { requests, failures, mixed, byGeneration } = await load!.stop()
        console.log(`${requests} requests, ${failures.length} failed, ${mixed.length} mixed`, byGeneration)
        assert.equal([failures, mixed], [[], []])
        assert.equal(Object.keys(byGeneration).sort(), generations)
      })
    },
  }
}

/** Asks every task itself: it holds this generation and no other, and runs where its group does. */
async function expectGroups(fleet: SwarmFleet, generation: string): Promise<void> {
  const { first, second } = NODES_OF_GROUPS
  const places = [
    { services: fleet.clusters.map((id) => `index_${id}`), nodes: first },
    { services: fleet.clusters.map((id) => `index_${id}_b`), nodes: second },
    { services: ['gateway'], nodes: [...first, ...second] },
  ]
  for (const { services, nodes } of places) {
    for (const service of services) {
      const served = Object.entries(await fleet.readServed(service))
      assert.ok(served.length > 0, `no task of ${service} runs`)
      for (const [task, found] of served) {
        assert.equal(found, [generation], `${service}, ${task}`)
        assert.ok(
          nodes.some((node) => task.startsWith(`${node} `)),
          `${service}, ${task}`,
        )
      }
    }
  }
}
