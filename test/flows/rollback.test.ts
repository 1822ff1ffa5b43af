import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { rollback } from '../../lib/flows/rollback.ts'
import { update } from '../../lib/flows/update.ts'
import { FakeFleet } from '../support/fakes/fleet-context.ts'
import { makeManifest } from '../support/fakes/manifest.ts'
import { raised } from '../support/raised.ts'

/** A fleet that has served dg_6, dg_7 and dg_8, one after the other. */
async function makeServing(): Promise<FakeFleet> {
  const fleet = new FakeFleet([])
  for (const name of ['dg_6', 'dg_7', 'dg_8']) {
    fleet.generations.add(makeManifest(name))
    await update(fleet.context())
  }
  fleet.orchestrator.changes.length = 0
  return fleet
}

test('goes back in one switch, and freezes what it leaves', async () => {
  const fleet = await makeServing()
  const answer = await rollback(fleet.context())
  assert.equal(fleet.served(), ['dg_7'])
  assert.equal(fleet.orchestrator.changes, ['change gateway'])
  assert.equal(
    (answer.json.plan as { action: string }[]).map(({ action }) => action),
    ['switch', 'soak', 'commit'],
  )
  assert.is(answer.json.previous, 'dg_8')
  assert.is(fleet.state.record.frozen?.generation.name, 'dg_8')
  await raised('quarantined', update(fleet.context()))
  assert.equal(fleet.served(), ['dg_7'])
})

test('is ended by another generation, or by force', async () => {
  const fleet = await makeServing()
  await rollback(fleet.context())
  await update(fleet.context(), { force: true })
  assert.equal(fleet.served(), ['dg_8'])
  assert.is(fleet.state.record.frozen, null)
  await rollback(fleet.context())
  fleet.generations.add(makeManifest('dg_9'))
  await update(fleet.context())
  assert.equal(fleet.served(), ['dg_9'])
  assert.is(fleet.state.record.frozen, null)
})

test('goes further back each time, and stops at the first release', async () => {
  const fleet = await makeServing()
  await rollback(fleet.context())
  await rollback(fleet.context())
  assert.equal(fleet.served(), ['dg_6'])
  const error = await raised('not-found', rollback(fleet.context()))
  assert.match(error.hint ?? '', '--to')
  await rollback(fleet.context(), { to: 'dg_8' })
  assert.equal(fleet.served(), ['dg_8'])
})

test('changes nothing when the release named is in service', async () => {
  const fleet = await makeServing()
  const { record } = fleet.state
  const answer = await rollback(fleet.context(), { to: 'dg_8' })
  assert.is(answer.outcome, 'nothing-to-do')
  assert.is(fleet.state.record, record)
  assert.equal(fleet.orchestrator.changes, [])
})

test('goes only to what was in service', async () => {
  const fleet = await makeServing()
  fleet.generations.add(makeManifest('dg_9'))
  await raised('not-found', rollback(fleet.context(), { to: 'dg_9' }))
  await raised('not-found', rollback(new FakeFleet([]).context()))
})

test('works when the generation is gone from the machine of the operator, while it is loaded or on every node', async () => {
  const fleet = await makeServing()
  fleet.generations.manifests.clear()
  await rollback(fleet.context())
  assert.equal(fleet.served(), ['dg_7'])
  assert.equal(fleet.holds('index_0'), ['dg_7', 'dg_8'])
  await rollback(fleet.context(), { to: 'dg_6' })
  assert.equal(fleet.served(), ['dg_6'])
})

test('refuses a generation that is neither here, nor loaded, nor on every node', async () => {
  const fleet = await makeServing()
  fleet.generations.manifests.clear()
  await fleet.transport.remove('node-2', 'dg_6', new AbortController().signal)
  await raised('not-found', rollback(fleet.context(), { to: 'dg_6' }))
  assert.equal(fleet.served(), ['dg_8'])
})

test('goes back to where it came from when the earlier release fails', async () => {
  const fleet = await makeServing()
  fleet.orchestrator.failOn = (spec) =>
    spec.generations.some(({ name }) => name === 'dg_6')
      ? new LongshoreError('remote', 'disk failed')
      : undefined
  await raised('rolled-back', rollback(fleet.context(), { to: 'dg_6' }))
  assert.equal(fleet.served(), ['dg_8'])
  assert.is(fleet.state.record.frozen, null)
  fleet.orchestrator.failOn = () => undefined
  await raised('quarantined', rollback(fleet.context(), { to: 'dg_6' }))
  await rollback(fleet.context(), { to: 'dg_6', force: true })
  assert.equal(fleet.served(), ['dg_6'])
})

test('only shows the plan in a dry run', async () => {
  const fleet = await makeServing()
  const { record } = fleet.state
  const answer = await rollback(fleet.context({ dryRun: true }))
  assert.ok((answer.json.plan as unknown[]).length > 0)
  assert.is(fleet.state.record, record)
  assert.equal(fleet.served(), ['dg_8'])
})

test.run()
