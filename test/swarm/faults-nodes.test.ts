import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Finding } from '../../lib/domain/finding.ts'
import { eventually } from '../support/eventually.ts'
import { createMoves, FAULTS_PROFILE } from './support/faults-profile.ts'
import { hasFailed, scenario } from './support/scenario.ts'
import { FLEET, type SwarmFleet, startSwarmFleet } from './support/swarm-fleet.ts'
import { expectRepair, expectTruth } from './support/verdict.ts'

const nextMove = createMoves()

let fleet: SwarmFleet

test.before(async () => {
  fleet = await startSwarmFleet({ profile: FAULTS_PROFILE })
  for (const name of ['dg_1', 'dg_2', 'dg_3']) await fleet.makeGeneration(name)
  assert.is((await fleet.run('update-indices', 'dg_1')).code, 0)
})
test.after(async () => {
  await fleet.stop({ hasFailed: hasFailed() })
})

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
    const node = await eventually(() => findNodeOfNew(service, known), 240_000)
    await strike(node)
    const run = await update.ended
    await fleet.lab.fault.heal(node)
    await expectTruth(fleet, run, move)
    if (strike === killEngine) await restartWhereDoctorSays()
    await expectRepair(fleet, move.target)
  })
}

test.run()

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

async function killEngine(node: string): Promise<void> {
  await fleet.lab.fault.kill(node, 'dockerd')
}

/** Long enough for the Swarm and for SSH to notice; a manager's own link is cut for the operator's as well. */
async function cutForAWhile(node: string): Promise<void> {
  await fleet.lab.fault.cut(node)
  const end = performance.now() + 8_000
  await eventually(() => assert.ok(performance.now() > end), 60_000)
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
