import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { atLeast } from '../../lib/domain/quality.ts'
import { update } from '../../lib/flows/update.ts'
import { FakeFleet } from '../support/fakes/fleet-context.ts'
import { FAKE_EXTRACTION, makeManifest } from '../support/fakes/manifest.ts'
import { raised } from '../support/raised.ts'

const SIX = makeManifest('dg_6')
const SEVEN = makeManifest('dg_7')
const EIGHT = makeManifest('dg_8')

/** A fleet that serves dg_7, with dg_8 newly split. */
async function makeServing(): Promise<FakeFleet> {
  const fleet = new FakeFleet([SEVEN])
  await update(fleet.context())
  fleet.generations.add(EIGHT)
  fleet.orchestrator.changes.length = 0
  fleet.plans.length = 0
  return fleet
}

test('serves the first generation on an empty fleet', async () => {
  const fleet = new FakeFleet([SEVEN])
  const answer = await update(fleet.context())
  assert.is(answer.outcome, 'done')
  assert.is(answer.json.generation, 'dg_7')
  assert.is(answer.json.previous, null)
  assert.equal(fleet.served(), ['dg_7'])
  assert.equal([...fleet.orchestrator.services.keys()].sort(), [
    FAKE_EXTRACTION,
    'gateway',
    'index_0',
    'index_1',
  ])
  assert.is(fleet.state.record.releases.length, 1)
  assert.is(fleet.state.record.run, null)
})

test('moves from one generation to the next and keeps the former one loaded', async () => {
  const fleet = await makeServing()
  const answer = await update(fleet.context())
  assert.equal(fleet.served(), ['dg_8'])
  assert.equal(fleet.holds('index_0'), ['dg_7', 'dg_8'])
  assert.is(answer.json.previous, 'dg_7')
  const plan = answer.json.plan as { action: string; cause: string }[]
  assert.equal(
    [...new Set(plan.map(({ action }) => action))],
    ['deliver', 'load', 'check', 'switch', 'soak', 'commit'],
  )
  assert.ok(plan.every(({ cause }) => cause.length > 5))
})

test('never holds three generations and drops the oldest', async () => {
  const fleet = new FakeFleet([SIX])
  for (const manifest of [SIX, SEVEN, EIGHT]) {
    fleet.generations.add(manifest)
    await update(fleet.context())
  }
  assert.equal(fleet.holds('index_0'), ['dg_7', 'dg_8'])
  assert.equal(fleet.holds('index_1'), ['dg_7', 'dg_8'])
})

test('changes nothing the second time', async () => {
  const fleet = await makeServing()
  await update(fleet.context())
  const { record, entries } = fleet.state
  const lines = entries.length
  const changes = fleet.orchestrator.changes.length
  const answer = await update(fleet.context())
  assert.is(answer.outcome, 'nothing-to-do')
  assert.equal(answer.json.plan, [])
  assert.is(fleet.orchestrator.changes.length, changes)
  assert.is(fleet.state.entries.length, lines)
  assert.is(fleet.state.record, record)
})

test('only shows the plan in a dry run', async () => {
  const fleet = await makeServing()
  const { record } = fleet.state
  const lines = fleet.state.entries.length
  await fleet.state.acquire({ owner: 'somebody else', doing: 'update-indices' })
  const answer = await update(fleet.context({ dryRun: true }))
  assert.ok((answer.json.plan as unknown[]).length > 5)
  assert.equal(fleet.orchestrator.changes, [])
  assert.is(fleet.state.record, record)
  assert.is(fleet.state.entries.length, lines)
})

test('changes nothing when the operator says no', async () => {
  const fleet = await makeServing()
  const { record } = fleet.state
  fleet.confirm = async () => {
    throw new LongshoreError('aborted', 'aborted')
  }
  await raised('aborted', update(fleet.context()))
  assert.is(fleet.state.record, record)
  assert.equal(fleet.orchestrator.changes, [])
})

test('refuses a generation that fails a gate, and knows it the next time', async () => {
  const fleet = await makeServing()
  fleet.generations.gatesOf = () => [atLeast('selfRouting', 0.06, 0.9)]
  const error = await raised('gate', update(fleet.context()))
  assert.match(error.message, 'selfRouting is 0.06, expected >= 0.9')
  assert.equal(fleet.orchestrator.changes, [])
  fleet.generations.gatesOf = () => []
  const again = await raised('quarantined', update(fleet.context()))
  assert.match(again.message, 'selfRouting')
  assert.is(again.answer.generation, 'dg_8')
  assert.equal(fleet.served(), ['dg_7'])
})

test('refuses bad content under another number, but not sound content after a damaged copy of it', async () => {
  const fleet = await makeServing()
  fleet.generations.gatesOf = () => [atLeast('recall', 0, 0.9)]
  await raised('gate', update(fleet.context()))
  fleet.generations.gatesOf = () => []
  fleet.generations.add(makeManifest('dg_9', {}, 'dg_8'))
  await raised('quarantined', update(fleet.context()))

  fleet.generations.add(makeManifest('dg_10'))
  fleet.generations.measure = async () => {
    throw new LongshoreError('corrupt', 'dg_10/clust_0/vectors.npy differs from the manifest')
  }
  await raised('corrupt', update(fleet.context()))
  await raised('quarantined', update(fleet.context()))
  fleet.generations.add(makeManifest('dg_11', {}, 'dg_10'))
  fleet.generations.measure = async () => []
  assert.is((await update(fleet.context())).outcome, 'done')
})

test('quarantines a manifest that cannot be read by its fingerprint', async () => {
  const fleet = await makeServing()
  fleet.generations.failures.set('dg_8', new LongshoreError('corrupt', 'dg_8/manifest.json: is no JSON'))
  await raised('corrupt', update(fleet.context()))
  await raised('quarantined', update(fleet.context()))
  await raised('corrupt', update(fleet.context(), { force: true }))
  assert.is(fleet.state.record.quarantined.length, 1)
})

test('serves a quarantined generation with force, and forgets the quarantine', async () => {
  const fleet = await makeServing()
  fleet.generations.gatesOf = () => [atLeast('recall', 0, 0.9)]
  await raised('gate', update(fleet.context()))
  await raised('gate', update(fleet.context(), { force: true }))
  fleet.generations.gatesOf = () => []
  await update(fleet.context(), { force: true })
  assert.equal(fleet.served(), ['dg_8'])
  assert.equal(fleet.state.record.quarantined, [])
})

test('names what is missing', async () => {
  const empty = new FakeFleet([])
  assert.match((await raised('not-found', update(empty.context()))).hint ?? '', 'split-index')
  const fleet = await makeServing()
  await raised('not-found', update(fleet.context(), { generation: 'dg_99' }))
})

test('refuses another generation under the name of the one in service', async () => {
  const fleet = await makeServing()
  fleet.generations.add(makeManifest('dg_7', {}, 'something else'))
  await raised('usage', update(fleet.context(), { generation: 'dg_7' }))
  assert.equal(fleet.orchestrator.changes, [])
})

test('goes on when the number of clusters changes, and retires what nobody needs', async () => {
  const fleet = await makeServing()
  const oneCluster = makeManifest('dg_8', { clusters: [{ id: 0, items: 20 }] })
  const threeClusters = makeManifest('dg_9', { clusters: [0, 1, 2].map((id) => ({ id, items: 7 })) })
  fleet.generations.add(oneCluster)
  await update(fleet.context())
  assert.equal(fleet.holds('index_1'), ['dg_7'])
  fleet.generations.add(threeClusters)
  await update(fleet.context())
  assert.equal(fleet.holds('index_0'), ['dg_8', 'dg_9'])
  assert.equal(fleet.holds('index_1'), ['dg_9'])
  fleet.generations.add(makeManifest('dg_10', { clusters: [{ id: 0, items: 20 }] }))
  fleet.generations.add(makeManifest('dg_11', { clusters: [{ id: 0, items: 20 }] }))
  await update(fleet.context(), { generation: 'dg_10' })
  await update(fleet.context())
  assert.not(fleet.orchestrator.services.has('index_2'))
})

test('keeps on nodes what the profile says and no more', async () => {
  const fleet = new FakeFleet([])
  for (const number of [1, 2, 3, 4, 5]) {
    fleet.generations.add(makeManifest(`dg_${number}`))
    await update(fleet.context())
  }
  assert.equal([...fleet.transport.node('node-1').held.keys()], ['dg_3', 'dg_4', 'dg_5'])
})

test('repairs what drifted: a node that lost the generation, a task that fails', async () => {
  const fleet = await makeServing()
  await update(fleet.context())
  fleet.transport.node('node-2').held.delete('dg_8')
  fleet.orchestrator.breakTasks('index_1', 'it crashed')
  const answer = await update(fleet.context())
  const plan = answer.json.plan as { action: string; cause: string }[]
  assert.ok(plan.some(({ action }) => action === 'deliver'))
  assert.match(plan.find(({ action }) => action === 'load')?.cause ?? '', 'it crashed')
  assert.is((await update(fleet.context())).outcome, 'nothing-to-do')
})

test('does not blame the generation in service for a repair that fails', async () => {
  const fleet = await makeServing()
  await update(fleet.context())
  fleet.orchestrator.breakTasks('index_1', 'no memory')
  fleet.orchestrator.failOn = () => new LongshoreError('remote', 'no memory')
  await raised('remote', update(fleet.context()))
  assert.equal(fleet.state.record.quarantined, [])
  assert.is(fleet.state.record.run, null)
  assert.equal(fleet.served(), ['dg_8'])
})

test('delivers a damaged copy again before it is loaded', async () => {
  const fleet = await makeServing()
  fleet.transport.hold(EIGHT)
  fleet.transport.node('node-1').held.get('dg_8')?.damaged.add('clust_0/vectors.npy')
  await update(fleet.context())
  assert.is(fleet.transport.node('node-1').held.get('dg_8')?.damaged.size, 0)
  assert.ok(fleet.notes.some((note) => note.includes('delivered again')))
})

test('refuses to start while a node cannot be reached, or goes on without it and says so', async () => {
  const refusing = await makeServing()
  refusing.transport.node('node-2').reachable = false
  const error = await raised('remote', update(refusing.context()))
  assert.match(error.message, 'node-2')
  assert.equal(refusing.orchestrator.changes, [])

  const fleet = await makeServing()
  Object.assign(fleet.profile.update, { unreachableNodes: 'continue' })
  fleet.transport.node('node-2').reachable = false
  const partial = await raised('partial', update(fleet.context()))
  assert.match(partial.message, 'node-2')
  assert.equal(fleet.served(), ['dg_8'])
  await raised('partial', update(fleet.context()))
  fleet.transport.node('node-2').reachable = true
  assert.is((await update(fleet.context())).outcome, 'done')
  assert.ok(fleet.transport.node('node-2').held.has('dg_8'))
  assert.is((await update(fleet.context())).outcome, 'nothing-to-do')
})

test.run()
