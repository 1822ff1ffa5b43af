import { readFile } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { flipByte } from '../support/files.ts'
import { expectRun } from './support/expectations.ts'
import { hasFailed, scenario } from './support/scenario.ts'
import { FLEET, type SwarmFleet, startSwarmFleet } from './support/swarm-fleet.ts'

const FILE = 'clust_0/vectors.npy'
const SERVING = { serving: 'dg_1' }

let fleet: SwarmFleet

test.before(async () => {
  fleet = await startSwarmFleet({ nodes: 2, clusters: 1, profile: { gateway: { replicas: 1 } } })
  await fleet.makeGeneration('dg_1')
  await expectRun(fleet, ['update-indices', 'dg_1'], { code: 0, ...SERVING })
})
test.after(async () => {
  await fleet?.stop({ hasFailed: hasFailed() })
})

scenario('names node and file of one wrong byte, and takes no task away from there', async () => {
  const tasks = await listTasks()
  flipByte(locate('n2'))
  const { json } = await expectRun(fleet, ['verify'], { code: 12, ...SERVING })
  assert.match(json.error.message, /n2 +dg_1 +damaged/)
  assert.match(json.error.message, FILE)
  assert.match(await readLabels('n2'), `longshore.${FLEET}.dg_1`)
  assert.equal(await listTasks(), tasks)
})

scenario('brings the damaged file again, and nothing else, while the same tasks serve', async () => {
  const tasks = await listTasks()
  const { json } = await expectRun(fleet, ['verify', '--repair'], { code: 0, ...SERVING })
  const [, { generations }] = json.nodes
  assert.is(generations[0].repaired, true)
  assert.equal(await readFile(locate('n2')), await readFile(fleet.path('dgs/dg_1', FILE)))
  assert.is((await fleet.run('verify')).json.outcome, 'nothing-to-do')
  assert.match(await readLabels('n2'), `longshore.${FLEET}.dg_1`)
  assert.equal(await listTasks(), tasks)
})

scenario('brings again what a node has lost, and tells of a node that cannot be reached', async () => {
  await fleet.lab.exec('n2', ['rm', '-rf', '/var/lib/longshore/dg_1/clust_0'])
  const { json } = await fleet.run('verify', 'dg_1', '--nodes', 'n2', '--repair')
  assert.is(json.exitCode, 0)
  await fleet.lab.fault.cut('n2')
  const { code, json: told } = await fleet.run('verify', 'dg_1')
  assert.is(code, 3)
  assert.match(told.error.message, /n2 +dg_1 +unreachable/)
})

test.run()

/** The file as this machine sees the node's disk. */
function locate(node: string): string {
  return `${fleet.lab.locateRoot(node)}/var/lib/longshore/dg_1/${FILE}`
}

async function listTasks(): Promise<string[]> {
  const told = await fleet.lab.docker('n1', 'node', 'ps', '--format', '{{.ID}} {{.DesiredState}}', 'n1', 'n2')
  return told.split('\n').sort()
}

async function readLabels(node: string): Promise<string> {
  return await fleet.lab.docker('n1', 'node', 'inspect', '--format', '{{json .Spec.Labels}}', node)
}
