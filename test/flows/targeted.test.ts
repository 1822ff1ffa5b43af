import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseProfile } from '../../lib/config/load.ts'
import { shardFile } from '../../lib/domain/manifest.ts'
import type { Step } from '../../lib/domain/plan.ts'
import { listHolders } from '../../lib/domain/shard-spread.ts'
import { deliver } from '../../lib/flows/deliver.ts'
import { rollback } from '../../lib/flows/rollback.ts'
import { createSpread } from '../../lib/flows/spread.ts'
import { status } from '../../lib/flows/status.ts'
import { update } from '../../lib/flows/update.ts'
import { verify } from '../../lib/flows/verify.ts'
import { FakeFleet } from '../support/fakes/fleet-context.ts'
import { makeManifest } from '../support/fakes/manifest.ts'
import { raised } from '../support/raised.ts'

const CLUSTERS = [0, 1, 2, 3, 4, 5]
const NAMES = ['node-1', 'node-2', 'node-3', 'node-4']
const [SEVEN, EIGHT] = ['dg_7', 'dg_8'].map((name) =>
  makeManifest(name, { clusters: CLUSTERS.map((id) => ({ id, items: 10 })) }),
) as [ReturnType<typeof makeManifest>, ReturnType<typeof makeManifest>]

test('gives every node its shards and what gateways need, and tells which and how much', async () => {
  const fleet = makeTargeted()
  const { json } = await deliver(fleet.context())
  for (const name of NAMES) {
    assert.equal(held(fleet, name, 'dg_8'), ownOf(fleet, name))
  }
  const steps = json.plan as Pick<Step, 'node' | 'clusters' | 'bytes' | 'cause'>[]
  assert.equal(
    steps.map(({ node, bytes }) => [node, bytes]),
    // Each file has 100 bytes: three of a shard, and two of none.
    NAMES.map((name) => [name, 300 * ownOf(fleet, name).length + 200]),
  )
  assert.match(steps[0]!.cause, /^node-1 lacks shards? \d/)
  assert.equal(steps[0]!.clusters, ownOf(fleet, 'node-1'))
  assert.is((await deliver(fleet.context())).outcome, 'nothing-to-do')
})

test('places index services where their shards are, and gateways everywhere', async () => {
  const fleet = makeTargeted()
  await update(fleet.context())
  const { services } = fleet.orchestrator
  for (const cluster of CLUSTERS) {
    const { nodes, isSpread } = services.get(`index_${cluster}`)!.spec
    assert.equal([...nodes].sort(), holdersOf(fleet, cluster).sort())
    assert.is(isSpread, true)
  }
  assert.equal(services.get('gateway')!.spec.nodes, NAMES)
  assert.is((await update(fleet.context())).outcome, 'nothing-to-do')
})

test('goes back by what nodes hold of the former generation, without this machine', async () => {
  const fleet = makeTargeted()
  await update(fleet.context({}), { generation: 'dg_7' })
  await update(fleet.context({}), { generation: 'dg_8' })
  fleet.generations.manifests.clear()
  await rollback(fleet.context())
  assert.equal(fleet.served(), ['dg_7'])
  assert.is((await rollback(fleet.context(), { to: 'dg_7' })).outcome, 'nothing-to-do')
})

test('brings a node that was added only its shards, and moves no other one', async () => {
  const fleet = makeTargeted(3)
  await update(fleet.context())
  declare(fleet, 4)
  const { json } = await deliver(fleet.context())
  const steps = json.plan as Pick<Step, 'node'>[]
  assert.equal(
    steps.map(({ node }) => node),
    ['node-4'],
  )
  await update(fleet.context())
  for (const cluster of CLUSTERS) {
    const { nodes } = fleet.orchestrator.services.get(`index_${cluster}`)!.spec
    assert.equal([...nodes].sort(), holdersOf(fleet, cluster).sort())
  }
})

test('keeps on a node what it holds besides when more is brought there', async () => {
  const fleet = makeTargeted()
  fleet.transport
    .node('node-1')
    .held.set('dg_8', { manifest: EIGHT, damaged: new Set(), clusters: otherThan(fleet) })
  await deliver(fleet.context())
  assert.equal(held(fleet, 'node-1', 'dg_8'), CLUSTERS)
})

test('looks for damage in what each node shall hold, and mends it from another node that holds the shard', async () => {
  const fleet = makeTargeted()
  await update(fleet.context())
  const [first, second] = holdersOf(fleet, 3) as [string, string]
  assert.is((await verify(fleet.context())).outcome, 'nothing-to-do')
  fleet.transport.node(first).held.get('dg_8')!.damaged.add(shardFile(3, 'vectors'))
  fleet.generations.manifests.clear()
  const { json } = await verify(fleet.context(), { repair: true })
  const [step] = json.plan as { node: string; cause: string }[]
  assert.is(step?.node, first)
  assert.match(step!.cause, second)
  assert.equal(held(fleet, first, 'dg_8'), ownOf(fleet, first))
})

test('tells a shard that a node has lost as damage and as drift, and shows what each node holds', async () => {
  const fleet = makeTargeted()
  await update(fleet.context())
  const [first] = holdersOf(fleet, 3) as [string]
  const rest = ownOf(fleet, first).filter((cluster) => cluster !== 3)
  fleet.transport.node(first).held.set('dg_8', { manifest: EIGHT, damaged: new Set(), clusters: rest })
  assert.match((await raised('corrupt', verify(fleet.context()))).message, /it lacks shards 3/)
  const { json, text } = await status(fleet.context())
  const lacking = (json.drift as string[]).filter((one) => one.includes('index_3'))
  const isUsed = fleet.orchestrator.services.get('index_3')!.tasks.some(({ node }) => node === first)
  assert.is(lacking.length, isUsed ? 1 : 0)
  assert.match(text, /dg_8 \((shards|no shards)/)
})

test('goes on without a node where each of its shards is on another one, and refuses where one is on none', async () => {
  const fleet = makeTargeted()
  declare(fleet, 4, 'update: { soakSeconds: 0, unreachableNodes: continue }')
  const [first, second] = holdersOf(fleet, 0) as [string, string]
  fleet.transport.node(first).reachable = false
  await raised('partial', update(fleet.context()))
  assert.equal(fleet.served(), ['dg_8'])
  assert.equal(fleet.orchestrator.services.get('index_0')!.spec.nodes, [second])
  fleet.transport.node(second).reachable = false
  const error = await raised('remote', update(fleet.context(), { generation: 'dg_7' }))
  assert.match(error.message, /the shard of cluster 0/)
  assert.equal(fleet.served(), ['dg_8'])
})

test('moves replica groups where each shard is in both', async () => {
  const fleet = makeTargeted()
  declare(fleet, 4, 'index: { replicas: 2 }\nupdate: { soakSeconds: 0, strategy: replica-groups }')
  for (const generation of ['dg_7', 'dg_8']) await update(fleet.context(), { generation })
  for (const cluster of CLUSTERS) {
    const groups = [`index_${cluster}`, `index_${cluster}_b`].map(
      (name) => fleet.orchestrator.services.get(name)!,
    )
    const nodes = groups.flatMap(({ spec }) => spec.nodes)
    assert.equal([...nodes].sort(), holdersOf(fleet, cluster).sort())
  }
})

test.run()

function makeTargeted(count = 4): FakeFleet {
  const fleet = new FakeFleet([SEVEN, EIGHT])
  for (const name of NAMES.slice(2)) fleet.transport.addNode(name)
  declare(fleet, count)
  return fleet
}

function declare(fleet: FakeFleet, count: number, more = 'update: { soakSeconds: 0 }'): void {
  const nodes = NAMES.slice(0, count).map((name) => `{ name: ${name}, host: ${name}.example }`)
  fleet.profile = parseProfile(
    `
name: test
nodes: [${nodes}]
model: { name: lexical-hash, version: "1", dimensions: 4, metric: cosine, normalized: true }
gateway: { port: 0 }
delivery: { scope: targeted }
${more}
`,
    'test.yml',
  )
}

function holdersOf({ profile }: FakeFleet, cluster: number): string[] {
  return listHolders(createSpread(profile)!, cluster)
}

function ownOf(fleet: FakeFleet, node: string): number[] {
  return CLUSTERS.filter((cluster) => holdersOf(fleet, cluster).includes(node))
}

function otherThan(fleet: FakeFleet): number[] {
  return CLUSTERS.filter((cluster) => !ownOf(fleet, 'node-1').includes(cluster))
}

function held(fleet: FakeFleet, node: string, generation: string): readonly number[] | undefined {
  return fleet.transport.node(node).held.get(generation)?.clusters
}
