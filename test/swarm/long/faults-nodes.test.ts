import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../../support/eventually.ts'
import { isStep } from '../../support/journal.ts'
import type { Program } from '../lab/fault.ts'
import { hasFailed, scenario } from '../support/scenario.ts'
import { FLEET, type SwarmFleet, startSwarmFleet } from '../support/swarm-fleet.ts'
import { openSwarmJournal, type SwarmJournal } from '../support/swarm-journal.ts'
import { expectTruthAndRepair } from '../support/verdict.ts'

const HOME = '/var/lib/longshore'

let fleet: SwarmFleet
let journal: SwarmJournal
let served = 1

test.before(async () => {
  fleet = await startSwarmFleet({
    profile: {
      ssh: { connectSeconds: 3, keepAliveSeconds: 2 },
      gateway: { replicas: 1 },
      index: { replicas: 1 },
      update: { deadlineSeconds: 60, leaseSeconds: 5, keep: 0 },
    },
  })
  journal = openSwarmJournal(fleet.lab)
  for (const name of ['dg_1', 'dg_2', 'dg_3']) await fleet.makeGeneration(name)
  // Large enough to be on its way for a while over a narrow line.
  await fleet.makeGeneration('dg_9', 4000)
  assert.is((await fleet.run('update-indices', 'dg_1')).code, 0)
})
test.after(async () => {
  await fleet.stop({ hasFailed: hasFailed() })
})

scenario(
  'a delivery to a full disk names the node, and leaves nothing there under a final name',
  async () => {
    const { fault, exec } = fleet.lab
    await fault.fillDisk('n2', 100_000)
    const { code, json, stdout } = await fleet.run('deliver', 'dg_9')
    assert.is(code, 3, stdout)
    assert.match(json.error.message, /dg_9 did not reach n2 .*no room/)
    assert.equal(await listHeld('n2'), ['dg_1'])
    const update = await fleet.run('update-indices', 'dg_9')
    assert.is(update.code, 30, update.stdout)
    assert.match(update.json.error.message, /n2 has no room.*dg_1 is serving/)
    await fault.freeDisk('n2')
    assert.equal(await exec('n2', ['sh', '-c', `ls -A ${HOME} | grep dg_9 || :`]), '')
    for (const name of ['n1', 'n3']) await exec(name, ['rm', '-rf', `${HOME}/dg_9`])
  },
)

for (const program of ['sshd', 'dockerd'] as const) {
  scenario(
    `a delivery in whose midst the ${program} of a node is killed is continued by the next one`,
    async () => {
      await fleet.lab.fault.shape('n2', { mbit: 2 })
      const delivery = fleet.start('deliver', 'dg_9')
      await eventually(
        async () => assert.match(await fleet.lab.exec('n2', ['ls', '-A', HOME]), '.dg_9.partial'),
        60_000,
      )
      await kill('n2', program)
      const { code, json, stdout } = await delivery.ended
      if (program === 'dockerd') assert.is(code, 0, stdout)
      else {
        assert.is(code, 3, stdout)
        assert.match(json.error.message, /dg_9 did not reach n2/)
        assert.equal(await listHeld('n2'), ['dg_1'])
      }
      await fleet.lab.fault.shape('n2', {})
      assert.is((await fleet.run('deliver', 'dg_9')).code, 0)
      assert.equal(await listHeld('n2'), ['dg_1', 'dg_9'])
      for (const { name } of fleet.lab.nodes) await fleet.lab.exec(name, ['rm', '-rf', `${HOME}/dg_9`])
    },
  )
}

const FAULTS: readonly { what: string; service: string; strike: (node: string) => Promise<void> }[] = [
  { what: 'engine dies while it loads', service: 'index_1', strike: (node) => kill(node, 'dockerd') },
  {
    what: 'engine dies while the gateway moves',
    service: 'gateway',
    strike: (node) => kill(node, 'dockerd'),
  },
  { what: 'link is cut for a while as it loads', service: 'index_1', strike: cutForAWhile },
]

for (const { what, service, strike } of FAULTS) {
  scenario(`an update of which a node’s ${what} ends in one generation, and says which`, async () => {
    const former = `dg_${served}`
    served = (served % 3) + 1
    const target = `dg_${served}`
    const known = await listTasks(service)
    const update = fleet.start('update-indices', target)
    const node = await eventually(() => findNodeOfNew(service, known), 120_000)
    await strike(node)
    const run = await update.ended
    await fleet.lab.fault.heal(node)
    await expectTruthAndRepair(fleet, run, { target, former })
  })
}

scenario('an update during which the only manager loses its power goes on once it is back', async () => {
  const former = `dg_${served}`
  served = (served % 3) + 1
  const target = `dg_${served}`
  const update = fleet.start('update-indices', target)
  assert.ok(await journal.waitFor(update, isStep('load')))
  await fleet.lab.fault.powerOff('n1')
  await fleet.lab.fault.powerOn('n1')
  await expectTruthAndRepair(fleet, await update.ended, { target, former })
})

test.run()

async function listHeld(node: string): Promise<string[]> {
  return (await fleet.lab.exec(node, ['sh', '-c', `ls ${HOME} | grep dg_`])).split('\n')
}

async function kill(node: string, program: Program): Promise<void> {
  await fleet.lab.fault.kill(node, program)
}

/** Long enough for the Swarm and for SSH to notice; a manager's own link is cut for the operator's as well. */
async function cutForAWhile(node: string): Promise<void> {
  await fleet.lab.fault.cut(node)
  const end = performance.now() + 8_000
  await eventually(() => assert.ok(performance.now() > end), 10_000)
  await fleet.lab.fault.heal(node)
}

async function listTasks(service: string): Promise<string[]> {
  const ids = await fleet.lab.docker('n1', 'service', 'ps', '--quiet', '--no-trunc', `${FLEET}_${service}`)
  return ids.split('\n')
}

/** The node on which a task of a service starts that was not there before. Raises while there is none. */
async function findNodeOfNew(service: string, known: readonly string[]): Promise<string> {
  const [id] = (await listTasks(service)).filter((one) => !known.includes(one))
  if (!id) throw new Error(`no new task of ${service}`)
  const format = '{{.NodeID}} {{if .Status.ContainerStatus}}{{.Status.ContainerStatus.ContainerID}}{{end}}'
  const [nodeId, container] = (
    await fleet.lab.docker('n1', 'inspect', '--type', 'task', '--format', format, id)
  ).split(' ')
  if (!nodeId || !container) throw new Error(`${id} has no container yet`)
  return await fleet.lab.docker('n1', 'node', 'inspect', '--format', '{{.Description.Hostname}}', nodeId)
}
