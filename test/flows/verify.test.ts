import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { update } from '../../lib/flows/update.ts'
import { type VerifyOptions, verify } from '../../lib/flows/verify.ts'
import { FakeFleet } from '../support/fakes/fleet-context.ts'
import { makeManifest } from '../support/fakes/manifest.ts'
import { raised } from '../support/raised.ts'

const [SIX, SEVEN, EIGHT] = [makeManifest('dg_6'), makeManifest('dg_7'), makeManifest('dg_8')]

type NodeAnswer = { name: string; generations: { name: string; state: string; repaired?: boolean }[] }

async function makeServing(): Promise<FakeFleet> {
  const fleet = new FakeFleet([])
  for (const manifest of [SIX, SEVEN, EIGHT]) {
    fleet.generations.add(manifest)
    await update(fleet.context())
  }
  return fleet
}

const damage = (fleet: FakeFleet, node: string, generation: string) =>
  fleet.transport.node(node).held.get(generation)!.damaged.add('clust_0/vectors.npy')

const check = (fleet: FakeFleet, options: VerifyOptions = {}) => verify(fleet.context(), options)

/** Lines `node generation state`. */
const linesOf = (json: Readonly<Record<string, unknown>>) =>
  (json.nodes as NodeAnswer[]).flatMap(({ name, generations }) =>
    generations.map((one) => `${name} ${one.name} ${one.repaired ? 'repaired' : one.state}`),
  )

test('reads what is in service and before on every node, and changes nothing', async () => {
  const fleet = await makeServing()
  const lines = fleet.state.entries.length
  fleet.transport.calls.length = 0
  const { outcome, json, text } = await check(fleet)
  assert.is(outcome, 'nothing-to-do')
  assert.equal(linesOf(json), [
    'node-1 dg_8 sound',
    'node-1 dg_7 sound',
    'node-2 dg_8 sound',
    'node-2 dg_7 sound',
  ])
  assert.match(text, /node-2 +dg_7 +sound/)
  assert.equal([...new Set(fleet.transport.calls.map(({ method }) => method))], ['inspect', 'verify'])
  assert.is(fleet.state.entries.length, lines)
})

test('names node, generation and file of a damaged copy, and what lacks', async () => {
  const fleet = await makeServing()
  damage(fleet, 'node-2', 'dg_8')
  fleet.transport.node('node-1').held.delete('dg_7')
  const error = await raised('corrupt', check(fleet))
  assert.match(error.message, '2 of 4 copies')
  assert.match(error.message, /node-2 +dg_8 +damaged .*clust_0\/vectors\.npy/)
  assert.match(error.message, /node-1 +dg_7 +missing/)
  assert.equal(linesOf(error.answer), [
    'node-1 dg_8 sound',
    'node-1 dg_7 missing',
    'node-2 dg_8 damaged',
    'node-2 dg_7 sound',
  ])
})

test('reads one generation on the nodes that were named', async () => {
  const fleet = await makeServing()
  damage(fleet, 'node-1', 'dg_6')
  const sound = await check(fleet, { generation: 'dg_6', nodes: ['node-2'] })
  assert.equal(linesOf(sound.json), ['node-2 dg_6 sound'])
  await raised('corrupt', check(fleet, { generation: 'dg_6', nodes: ['node-1'] }))
})

test('refuses names that nothing has, and says so when nothing is in service', async () => {
  const fleet = await makeServing()
  assert.match((await raised('usage', check(fleet, { nodes: ['node-9'] }))).message, 'node-9')
  await raised('usage', check(fleet, { generation: '../dg_8' }))
  await raised('not-found', check(fleet, { generation: 'dg_99' }))
  await raised('not-found', check(new FakeFleet([EIGHT])))
})

test('tells of a node that cannot be reached, and of the others all the same', async () => {
  const fleet = await makeServing()
  fleet.transport.node('node-1').reachable = false
  const error = await raised('partial', check(fleet))
  assert.equal(linesOf(error.answer), [
    'node-1 dg_8 unreachable',
    'node-1 dg_7 unreachable',
    'node-2 dg_8 sound',
    'node-2 dg_7 sound',
  ])
  damage(fleet, 'node-2', 'dg_7')
  await raised('corrupt', check(fleet))
})

test('repairs what is damaged or missing, by plan and under the lock, and reads it once more', async () => {
  const fleet = await makeServing()
  damage(fleet, 'node-2', 'dg_8')
  fleet.transport.node('node-1').held.delete('dg_7')
  fleet.transport.calls.length = 0
  const { outcome, json, text } = await check(fleet, { repair: true })
  assert.is(outcome, 'done')
  assert.equal(linesOf(json), [
    'node-1 dg_8 sound',
    'node-1 dg_7 repaired',
    'node-2 dg_8 repaired',
    'node-2 dg_7 sound',
  ])
  assert.match(text, 'until they start again')
  assert.equal(
    fleet.plans.at(-1)?.steps.map(({ action, target, node }) => `${action} ${target} ${node}`),
    ['deliver dg_7 node-1', 'mend dg_8 node-2'],
  )
  assert.not.ok(fleet.transport.calls.some(({ method }) => method === 'remove'))
  assert.is((await check(fleet)).outcome, 'nothing-to-do')
  assert.is((await check(fleet, { repair: true })).outcome, 'nothing-to-do')
  assert.equal(fleet.served(), ['dg_8'])
})

test('only tells in a dry run what it would bring', async () => {
  const fleet = await makeServing()
  damage(fleet, 'node-2', 'dg_8')
  const answer = await verify(fleet.context({ dryRun: true }), { repair: true })
  assert.is((answer.json.plan as unknown[]).length, 1)
  await raised('corrupt', check(fleet))
})

test('repairs the other copies when one cannot be repaired, and names that one', async () => {
  const fleet = await makeServing()
  damage(fleet, 'node-1', 'dg_8')
  damage(fleet, 'node-2', 'dg_8')
  fleet.transport.failOn = ({ method, node }) =>
    method === 'mend' && node === 'node-1' ? new LongshoreError('remote', 'no room') : undefined
  const error = await raised('corrupt', check(fleet, { repair: true }))
  assert.match(error.message, /node-1 +dg_8 +damaged .*no room/)
  assert.equal(linesOf(error.answer).slice(2), ['node-2 dg_8 repaired', 'node-2 dg_7 sound'])
})

test('repairs from a node what this machine no longer has, a whole copy too', async () => {
  const fleet = await makeServing()
  damage(fleet, 'node-2', 'dg_8')
  fleet.transport.node('node-1').held.delete('dg_7')
  for (const name of ['dg_7', 'dg_8']) fleet.generations.manifests.delete(name)
  const { json } = await check(fleet, { repair: true })
  assert.equal(linesOf(json).sort(), [
    'node-1 dg_7 repaired',
    'node-1 dg_8 sound',
    'node-2 dg_7 sound',
    'node-2 dg_8 repaired',
  ])
  damage(fleet, 'node-2', 'dg_6')
  fleet.generations.manifests.delete('dg_6')
  assert.equal(linesOf((await check(fleet, { generation: 'dg_6', repair: true })).json), [
    'node-1 dg_6 sound',
    'node-2 dg_6 repaired',
  ])
})

test('asks this machine last, when no node has the file sound', async () => {
  const fleet = await makeServing()
  damage(fleet, 'node-1', 'dg_8')
  damage(fleet, 'node-2', 'dg_8')
  await check(fleet, { repair: true })
  damage(fleet, 'node-1', 'dg_8')
  damage(fleet, 'node-2', 'dg_8')
  fleet.generations.manifests.delete('dg_8')
  const error = await raised('corrupt', check(fleet, { repair: true }))
  assert.match(error.message, 'no sound copy of dg_8/clust_0/vectors.npy')
})

test.run()
