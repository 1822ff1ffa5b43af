import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import type { Run } from '../support/fleet.ts'
import type { Load } from '../support/load.ts'
import { buildFaultyImage, writeFaults } from './support/faulty-image.ts'
import type { Fault } from './support/faulty-main.ts'
import { createOtherOperator } from './support/other-operator.ts'
import { hasFailed, scenario } from './support/scenario.ts'
import { type SwarmFleet, startSwarmFleet } from './support/swarm-fleet.ts'

/** Every other node of the profile. */
const NODES_OF_FIRST = ['n1', 'n3']
const NODES_OF_SECOND = ['n2']

let fleet: SwarmFleet
let load: Load | undefined

test.before(async () => {
  fleet = await startSwarmFleet({
    nodes: 3,
    prepareImage: buildFaultyImage,
    profile: { update: { strategy: 'replica-groups' }, swarm: { lameDuckSeconds: 1, graceSeconds: 5 } },
  })
  for (const name of ['dg_1', 'dg_2', 'dg_3', 'dg_4']) await fleet.makeGeneration(name)
  await writeFaultsOn(NODES_OF_SECOND, { dg_3: 'crash' })
  await writeFaultsOn(NODES_OF_FIRST, { dg_4: 'crash' })
})
test.after(async () => {
  await load?.stop()
  await fleet?.stop({ hasFailed: hasFailed() })
})

scenario('serves a first generation from both groups, each on nodes of its own', async () => {
  expectEnd(await fleet.run('update-indices', 'dg_1'), 0)
  await expectGroups('dg_1')
  load = fleet.load({ clients: 4, perSecond: 100 })
  await answered(200)
})

scenario('moves one group after the other', async () => {
  expectEnd(await fleet.run('update-indices', 'dg_2'), 0)
  await expectGroups('dg_2')
  await answered(200)
})

scenario('goes back when the group that moves first fails', async () => {
  expectEnd(await fleet.run('update-indices', 'dg_3'), 20)
  await expectGroups('dg_2')
  await answered(200)
})

scenario('goes back when the group fails that moves once the gateway has', async () => {
  const { json } = expectEnd(await fleet.run('update-indices', 'dg_4'), 20)
  assert.match(json.error.message, /load index_\d failed: .*more than this build bears/s)
  await expectGroups('dg_2')
  await answered(200)
})

scenario('rolls back from a machine that has only the profile and a key', async () => {
  const start = await createOtherOperator(fleet)
  expectEnd(await start('rollback').ended, 0)
  await expectGroups('dg_1')
  await answered(200)
})

scenario('has failed no request and mixed no generations', async () => {
  const { requests, failures, mixed, byGeneration } = await load!.stop()
  console.log(`${requests} requests, ${failures.length} failed, ${mixed.length} mixed`, byGeneration)
  assert.equal([failures, mixed], [[], []])
  assert.equal(Object.keys(byGeneration).sort(), ['dg_1', 'dg_2', 'dg_4'])
})

test.run()

async function writeFaultsOn(names: readonly string[], faults: Readonly<Record<string, Fault>>) {
  const nodes = fleet.lab.nodes.filter(({ name }) => names.includes(name))
  await writeFaults({ ...fleet.lab, nodes }, faults)
}

function expectEnd(run: Run, code: number): Run {
  assert.is(run.code, code, `${run.stdout}\n${run.stderr}`)
  return run
}

/** Asks every task itself: it holds this generation and no other, and runs where its group does. */
async function expectGroups(generation: string): Promise<void> {
  const places = [
    { services: fleet.clusters.map((id) => `index_${id}`), nodes: NODES_OF_FIRST },
    { services: fleet.clusters.map((id) => `index_${id}_b`), nodes: NODES_OF_SECOND },
    { services: ['gateway'], nodes: [...NODES_OF_FIRST, ...NODES_OF_SECOND] },
  ]
  for (const { services, nodes } of places) {
    for (const service of services) {
      const served = Object.entries(await fleet.readServed(service))
      assert.ok(served.length > 0, `no task of ${service} runs`)
      for (const [task, found] of served) {
        assert.equal(found, [generation], `${service}, ${task}`)
        assert.ok(nodes.includes(task.split(' ')[0]!), `${service}, ${task}`)
      }
    }
  }
}

/** Waits until the load has sent that many more requests. */
async function answered(count: number): Promise<void> {
  const goal = load!.seen() + count
  await eventually(() => assert.ok(load!.seen() >= goal, 'the load stands still'), 30_000)
}
