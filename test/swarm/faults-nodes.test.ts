import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Finding } from '../../lib/domain/finding.ts'
import { eventually } from '../support/eventually.ts'
import { isStep } from '../support/journal.ts'
import { hasFailed, scenario } from './support/scenario.ts'
import { FLEET, type SwarmFleet, startSwarmFleet } from './support/swarm-fleet.ts'
import { openSwarmJournal, type SwarmJournal } from './support/swarm-journal.ts'
import { expectRepair, expectTruth, expectTruthAndRepair, type Move } from './support/verdict.ts'

const HOME = '/var/lib/longshore'

let fleet: SwarmFleet
let journal: SwarmJournal
let served = 1

test.before(async () => {
  fleet = await startSwarmFleet({
    profile: {
      ssh: { connectSeconds: 3, keepAliveSeconds: 2 },
      swarm: { lameDuckSeconds: 0, graceSeconds: 4, monitorSeconds: 0.2 },
      gateway: { replicas: 1 },
      index: { replicas: 1 },
      update: { deadlineSeconds: 60, leaseSeconds: 5, keep: 0 },
    },
  })
  journal = openSwarmJournal(fleet.lab)
  for (const name of ['dg_1', 'dg_2', 'dg_3']) await fleet.makeGeneration(name)
  // Large enough to be on its way for a while over a narrow line.
  await fleet.makeGeneration('dg_9', 24_000)
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
    assert.match(update.json.error.message, /n2.*no room/)
    await fault.freeDisk('n2')
    assert.equal(await exec('n2', ['sh', '-c', `ls -A ${HOME} | grep dg_9 || :`]), '')
    for (const name of ['n1', 'n3']) await exec(name, ['rm', '-rf', `${HOME}/dg_9`])
  },
)

scenario(
  'a delivery goes on where dockerd is killed, and is continued by the next one where sshd is',
  async () => {
    const { fault, exec } = fleet.lab
    for (const node of ['n2', 'n3']) await fault.shape(node, { mbit: 16 })
    const delivery = fleet.start('deliver', 'dg_9')
    for (const node of ['n2', 'n3']) await eventually(() => checkUnderWay(node), 60_000)
    await Promise.all([fault.kill('n2', 'sshd'), fault.kill('n3', 'dockerd')])
    const { code, json, stdout } = await delivery.ended
    assert.is(code, 3, stdout)
    assert.match(json.error.message, /^dg_9 did not reach n2/)
    const held = [await listHeld('n2'), await listHeld('n3')]
    assert.equal(held, [['dg_1'], ['dg_1', 'dg_9']], json.error.message)
    for (const node of ['n2', 'n3']) await fault.shape(node, {})
    const again = await fleet.run('deliver', 'dg_9')
    assert.is(again.code, 0, again.stdout)
    const [first, , third] = json.nodes as { bytes: number }[]
    // What its relay had brought, and then all of it directly.
    assert.ok(third!.bytes >= first!.bytes, `${third!.bytes} bytes`)
    assert.ok(again.json.bytesSent < first!.bytes, 'nothing of the first attempt was kept')
    assert.equal(await listHeld('n2'), ['dg_1', 'dg_9'])
    for (const { name } of fleet.lab.nodes) await exec(name, ['rm', '-rf', `${HOME}/dg_9`])
  },
)

const FAULTS: readonly { what: string; service: string; strike: (node: string) => Promise<void> }[] = [
  { what: 'engine dies while it loads', service: 'index_1', strike: killEngine },
  { what: 'engine dies while the gateway moves', service: 'gateway', strike: killEngine },
  { what: 'link is cut for a while as it loads', service: 'index_1', strike: cutForAWhile },
]

for (const { what, service, strike } of FAULTS) {
  scenario(`an update of which a node’s ${what} ends in one generation, and says which`, async () => {
    const move = nextMove()
    const known = await listTasks(service)
    const update = fleet.start('update-indices', move.target)
    const node = await eventually(() => findNodeOfNew(service, known), 120_000)
    await strike(node)
    const run = await update.ended
    await fleet.lab.fault.heal(node)
    await expectTruth(fleet, run, move)
    if (strike === killEngine) await restartWhereDoctorSays()
    await expectRepair(fleet, move.target)
  })
}

scenario('an update during which the only manager loses its power goes on once it is back', async () => {
  const move = nextMove()
  const update = fleet.start('update-indices', move.target)
  assert.ok(await journal.waitFor(update, isStep('load')))
  await fleet.lab.fault.powerOff('n1')
  await fleet.lab.fault.powerOn('n1')
  await expectTruthAndRepair(fleet, await update.ended, move)
})

scenario('without any manager no command hangs or claims to know, and the next one goes on', async () => {
  const { target, former } = nextMove()
  const update = fleet.start('update-indices', target)
  assert.ok(await journal.waitFor(update, isStep('load')))
  await fleet.lab.fault.powerOff('n1')
  const others = ['status', 'rollback', 'update-indices'].map((script) => fleet.run(script))
  const cutOff = await update.ended
  assert.is(cutOff.code, 21, cutOff.stdout)
  assert.match(cutOff.json.error.message, `going back from ${target} to ${former} was cut off`)
  assert.match(cutOff.json.error.message, 'the services cannot be asked what they hold')
  for (const { code, json, stdout } of await Promise.all(others)) {
    assert.is(code, 30, stdout)
    assert.match(json.error.message, 'no manager of the Swarm answers: n1: ')
    assert.match(json.error.hint, 'services run on without managers')
  }
  await fleet.lab.fault.powerOn('n1')
  await expectRepair(fleet, target)
})

test.run()

/** Of three generations the one that was served longest ago. */
function nextMove(): Move {
  const former = `dg_${served}`
  served = (served % 3) + 1
  return { target: `dg_${served}`, former }
}

/** An engine that was killed may go on holding a port for a container that is no more, until it is started anew. */
async function restartWhereDoctorSays(): Promise<void> {
  const { json } = await fleet.run('doctor')
  for (const { check, state, detail, hint } of json.findings as Finding[]) {
    if (check !== 'port' || state !== 'fail') continue
    const [, node = ''] = /port \d+ on (n\d) is taken by a process/.exec(detail) ?? []
    assert.match(hint!, 'restart docker')
    await fleet.lab.fault.stop(node, 'dockerd')
    await fleet.lab.fault.start(node, 'dockerd')
  }
}

async function listHeld(node: string): Promise<string[]> {
  return (await fleet.lab.exec(node, ['sh', '-c', `ls ${HOME} | grep dg_`])).split('\n')
}

/** Part of dg_9 has arrived, but not all of it. */
async function checkUnderWay(node: string): Promise<void> {
  const size = await fleet.lab.exec(node, ['du', '--summarize', '--block-size=1', `${HOME}/.dg_9.partial`])
  assert.ok(Number.parseInt(size, 10) > 300_000, size)
}

async function killEngine(node: string): Promise<void> {
  await fleet.lab.fault.kill(node, 'dockerd')
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
