import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { expectRun, expectServed } from './support/expectations.ts'
import { hasFailed, scenario } from './support/scenario.ts'
import { FLEET, type SwarmFleet, startSwarmFleet } from './support/swarm-fleet.ts'

const LOST = 'n3'

let fleet: SwarmFleet

test.before(async () => {
  fleet = await startSwarmFleet({
    clusters: 1,
    profile: { gateway: { replicas: 1 }, update: { unreachableNodes: 'continue' } },
  })
  for (const name of ['dg_1', 'dg_2']) await fleet.makeGeneration(name)
})
test.after(async () => {
  await fleet?.stop({ hasFailed: hasFailed() })
})

scenario('goes on without a node that is down, and says which', async () => {
  await expectRun(fleet, ['update-indices', 'dg_1'], { code: 0, serving: 'dg_1' })
  await fleet.lab.fault.powerOff(LOST)
  await eventually(async () => assert.is(await readNode('{{.Status.State}}'), 'down'), 150_000)
  const deliver = await fleet.run('deliver', 'dg_2')
  assert.is(deliver.code, 3, deliver.stderr)
  assert.match(deliver.json.error.message, LOST)
  const update = await fleet.run('update-indices', 'dg_2')
  assert.is(update.code, 3, update.stderr)
  assert.match(update.json.error.message, new RegExp(`dg_2 is serving, but not on ${LOST}`))
})

scenario('gives a node that is back no task of what it does not hold', async () => {
  await fleet.lab.fault.powerOn(LOST)
  await eventually(async () => assert.is(await readNode('{{.Status.State}}'), 'ready'), 150_000)
  await endTask()
  await expectServed(fleet, { serving: 'dg_2', beside: 'dg_1' })
  assert.equal(await findTasksOnLost(), [])
})

scenario('gives it the data in the next run, and from then on tasks', async () => {
  const standing = { serving: 'dg_2', beside: 'dg_1' }
  const { json } = await expectRun(fleet, ['update-indices', 'dg_2'], { code: 0, ...standing })
  const delivered = json.plan.filter(({ action }: { action: string }) => action === 'deliver')
  assert.equal(
    delivered.map(({ node }: { node: string }) => node),
    [LOST],
  )
  assert.match(await readNode('{{json .Spec.Labels}}'), `longshore.${FLEET}.dg_2`)
  await eventually(async () => {
    await endTask()
    assert.ok((await findTasksOnLost()).length > 0)
  }, 300_000)
  await eventually(expectReady, 150_000)
  assert.is((await fleet.run('update-indices', 'dg_2')).json.outcome, 'nothing-to-do')
})

test.run()

async function readNode(format: string): Promise<string> {
  return await fleet.lab.docker('n1', 'node', 'inspect', '--format', format, LOST)
}

/**
 * Ends a task; the Swarm begins another one, on the node with the least to do of those that may have it. Of two nodes with
 * equally little it takes either, and after five ends none where they were.
 */
async function endTask(): Promise<void> {
  const [task = ''] = Object.keys(await fleet.readServed('index_0'))
  const [node = '', container = ''] = task.split(' ')
  await fleet.lab.docker(node, 'kill', container)
  await eventually(async () => {
    const tasks = Object.keys(await fleet.readServed('index_0'))
    assert.ok(tasks.length === 2 && !tasks.includes(task), tasks.join(', '))
  }, 150_000)
}

/** A task answers before the Swarm has asked for its health, until when it counts as one that is still starting. */
async function expectReady(): Promise<void> {
  const { json } = await fleet.run('status')
  const states = json.services.flatMap(({ tasks }: { tasks: { state: string }[] }) =>
    tasks.map(({ state }) => state),
  )
  assert.ok(states.length > 0 && states.every((state: string) => state === 'ready'), states.join(', '))
}

async function findTasksOnLost(): Promise<string[]> {
  const served = await Promise.all(['gateway', 'index_0'].map((service) => fleet.readServed(service)))
  return served.flatMap((tasks) => Object.keys(tasks)).filter((task) => task.startsWith(`${LOST} `))
}
