import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Manager } from '../../../lib/adapters/swarm/docker-client.ts'
import { createNodeLabels, listOtherMembers } from '../../../lib/adapters/swarm/node-labels.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import type { SwarmNode } from '../../../lib/domain/swarm-inspect.ts'

const signal = new AbortController().signal

const nodeWith = (name: string, labels: Record<string, string>): SwarmNode => {
  return { id: name, name, isDown: false, labels, gpus: 0 }
}
const NODES = [
  nodeWith('n1', { 'longshore.demo.node': 'member' }),
  nodeWith('n2', { 'longshore.demo.node': 'member' }),
  nodeWith('n3', { 'longshore.demo.dg_8': '8888888888888888' }),
  nodeWith('n4', { 'longshore.other.node': 'member', 'longshore.demonstration.dg_8': '8' }),
]

test('a service stays off all other nodes of its fleet, also those that only hold its data so far', () => {
  assert.equal(listOtherMembers('demo', { nodes: NODES, wanted: ['n1'] }), ['n2', 'n3'])
})

test('of a service of one shard, only nodes that have the shard need to be kept away', () => {
  const gates = ['longshore.demo.dg_8.clust_3']
  const holder = nodeWith('n5', { 'longshore.demo.dg_8.clust_3': '8888888888888888' })
  assert.equal(listOtherMembers('demo', { nodes: [...NODES, holder], wanted: ['n1'] }, gates), ['n5'])
})

test('tells the shards that a node is marked with, and takes the mark of a whole copy for none of a shard', async () => {
  const value = '8'.repeat(16)
  const generation = { name: 'dg_8', digest: '8'.repeat(64) }
  const nodes = [
    nodeWith('some', {
      'longshore.demo.dg_8.common': value,
      'longshore.demo.dg_8.clust_3': value,
      'longshore.demo.dg_8.clust_4': 'former',
    }),
    nodeWith('all', { 'longshore.demo.dg_8': value }),
    nodeWith('none', { 'longshore.demo.dg_8.clust_3': value }),
  ]
  const readAll = async (isSpread: boolean) => {
    const { labels } = makeLabels(nodes, isSpread)
    const marks = await Promise.all(nodes.map(({ name }) => labels.readMarks(name, signal)))
    return marks.map((readMark) => readMark(generation))
  }
  assert.equal(await readAll(true), [[3], [], null])
  assert.equal(await readAll(false), [[3], 'all', null])
})

test('refuses a node that is not in the Swarm', () => {
  assert.throws(
    () => listOtherMembers('demo', { nodes: NODES, wanted: ['n9'] }),
    (error: unknown) => error instanceof LongshoreError && error.kind === 'usage' && /n9/.test(error.message),
  )
})

test('nodes whose marks are asked for at once are looked at once, and later anew', async () => {
  const { labels, looks } = makeLabels()
  const generation = { name: 'dg_8', digest: '8'.repeat(64) }
  const marks = await Promise.all(['n3', 'n4', 'n9'].map((name) => labels.readMarks(name, signal)))
  assert.equal(
    marks.map((readMark) => readMark(generation)),
    ['all', null, null],
  )
  assert.is(looks(), 1)
  await new Promise((resolve) => setImmediate(resolve))
  await labels.readMarks('n3', signal)
  assert.is(looks(), 2)
})

test.run()

/** Labels of these nodes, and how often the managers were asked. */
function makeLabels(nodes = NODES, isSpread = false) {
  let count = 0
  const raw = nodes.map(({ id, name, labels }) => ({
    ID: id,
    Description: { Hostname: name },
    Status: { State: 'ready' },
    Spec: { Labels: labels },
  }))
  const run: Manager['run'] = async () => {
    count++
    return { code: 0, stdout: JSON.stringify(raw), stderr: '' }
  }
  const manager: Manager = { run, read: async (...args) => (await run(...args)).stdout }
  return { labels: createNodeLabels(manager, { fleet: 'demo', isSpread }), looks: () => count }
}
