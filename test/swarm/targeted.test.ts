import { rename } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { embedLexical } from '../../lib/domain/lexical.ts'
import { listHolders } from '../../lib/domain/shard-spread.ts'
import { eventually } from '../support/eventually.ts'
import { flipByte } from '../support/files.ts'
import { TEST_MODEL } from '../support/fleet.ts'
import { expectRun } from './support/expectations.ts'
import { hasFailed, scenario } from './support/scenario.ts'
import { type SwarmFleet, startSwarmFleet } from './support/swarm-fleet.ts'

const NAMES = ['n1', 'n2', 'n3']
const SPREAD = { nodes: NAMES.map((name) => ({ name, domains: [name] })), copies: 2 }
const CLUSTERS = [0]
/** Not the manager, and with a shard. */
const LOST = listHolders(SPREAD, 0).find((name) => name !== 'n1')!

let fleet: SwarmFleet

test.before(async () => {
  fleet = await startSwarmFleet({
    clusters: CLUSTERS.length,
    profile: {
      delivery: { scope: 'targeted' },
      gateway: { replicas: 1 },
      index: { replicas: 1 },
      update: { unreachableNodes: 'continue', deadlineSeconds: 90 },
      swarm: { healthSeconds: 3 },
    },
  })
  await fleet.makeGeneration('dg_1')
})
test.after(async () => {
  await fleet?.stop({ hasFailed: hasFailed() })
})

scenario('puts each shard on two nodes, and its tasks nowhere else', async () => {
  await expectRun(fleet, ['update-indices', 'dg_1'], { code: 0, serving: 'dg_1' })
  for (const name of NAMES) {
    const shards = await fleet.lab.exec(name, ['ls', '/var/lib/longshore/dg_1'])
    const own = CLUSTERS.filter((cluster) => listHolders(SPREAD, cluster).includes(name))
    const found = shards.split('\n').filter((file) => file.startsWith('clust_'))
    assert.equal(
      found,
      own.map((cluster) => `clust_${cluster}`),
    )
  }
  for (const cluster of CLUSTERS) {
    const nodes = await listNodes(`index_${cluster}`)
    assert.ok(
      nodes.every((name) => listHolders(SPREAD, cluster).includes(name)),
      nodes.join(),
    )
  }
  assert.is((await fleet.run('update-indices', 'dg_1')).json.outcome, 'nothing-to-do')
})

scenario('mends a shard from the other node that has it, without this machine', async () => {
  const file = `var/lib/longshore/dg_1/clust_0/vectors.npy`
  flipByte(`${fleet.lab.locateRoot(LOST)}/${file}`)
  await rename(fleet.path('dgs/dg_1'), fleet.path('kept'))
  const { json } = await expectRun(fleet, ['verify', '--repair'], { code: 0, serving: 'dg_1' })
  const node = json.nodes.find(({ name }: { name: string }) => name === LOST)
  assert.is(node.generations[0].repaired, true)
  assert.is((await fleet.run('verify')).json.outcome, 'nothing-to-do')
  await rename(fleet.path('kept'), fleet.path('dgs/dg_1'))
})

scenario('answers from all shards again when a node is lost', async () => {
  await fleet.lab.fault.powerOff(LOST)
  await eventually(async () => {
    assert.is(await fleet.lab.docker('n1', 'node', 'inspect', '--format', '{{.Status.State}}', LOST), 'down')
  }, 60_000)
  await eventually(async () => assert.ok(await isComplete()), 120_000)
})

test.run()

async function listNodes(service: string): Promise<string[]> {
  return Object.keys(await fleet.readServed(service)).map((task) => task.split(' ')[0]!)
}

/** Whether a gateway that is left answers from every shard. */
async function isComplete(): Promise<boolean> {
  const vector = [...embedLexical(['which one is it?'], TEST_MODEL.dimensions)]
  const answers = await Promise.allSettled(
    fleet.lab.nodes
      .filter(({ name }) => name !== LOST)
      .map(async ({ host }) => {
        const reply = await fetch(`http://${host}:14005/v1/search`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ vector, k: 3, nprobe: CLUSTERS.length }),
          signal: AbortSignal.timeout(5_000),
        })
        const { coverage } = (await reply.json()) as { coverage?: { answered: number; complete: boolean } }
        return reply.status === 200 && coverage?.complete === true
      }),
  )
  return answers.some((answer) => answer.status === 'fulfilled' && answer.value)
}
