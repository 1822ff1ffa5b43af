import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { update } from '../../lib/flows/update.ts'
import { waitForLock } from '../../lib/flows/wait-for-lock.ts'
import { eventually } from '../support/eventually.ts'
import { FakeFleet } from '../support/fakes/fleet-context.ts'
import { makeManifest } from '../support/fakes/manifest.ts'
import { raised } from '../support/raised.ts'

const SEVEN = makeManifest('dg_7')
const EIGHT = makeManifest('dg_8')
const OTHER = { owner: 'somebody@else 1', doing: 'update-indices dg_8' }

test('ends at once when somebody else has the lock, and no wait was asked for', async () => {
  const fleet = new FakeFleet([SEVEN])
  await fleet.state.acquire(OTHER)
  const error = await raised('locked', update(fleet.context()))
  assert.match(error.message, 'somebody@else 1')
  assert.equal(fleet.notes, [])
})

test('waits until the lock is given back, says so once, and then does its work', async () => {
  const fleet = new FakeFleet([SEVEN])
  const lease = await fleet.state.acquire(OTHER)
  const updating = update(waitForLock(fleet.context(), 60))
  await eventually(() => assert.is(fleet.notes.length, 1))
  assert.match(fleet.notes[0]!, /somebody@else 1.*waiting for up to 60 s/)
  await lease.release()
  assert.is((await updating).outcome, 'done')
  assert.equal(fleet.served(), ['dg_7'])
})

test('serves the generation that is the newest when the wait is over, not the one that was', async () => {
  const fleet = new FakeFleet([SEVEN, EIGHT])
  const list = fleet.generations.list.bind(fleet.generations)
  const lease = await fleet.state.acquire(OTHER)
  fleet.generations.list = async () => ['dg_7']
  const updating = update(waitForLock(fleet.context(), 60))
  await eventually(() => assert.is(fleet.notes.length, 1))
  fleet.generations.list = list
  await lease.release()
  assert.is((await updating).json.generation, 'dg_8')
})

test('refuses as without a wait when the time is over', async () => {
  const fleet = new FakeFleet([SEVEN])
  await fleet.state.acquire(OTHER)
  await raised('locked', update(waitForLock(fleet.context(), 0.01)))
})

test('stops waiting on Ctrl-C', async () => {
  const fleet = new FakeFleet([SEVEN])
  await fleet.state.acquire(OTHER)
  const interrupt = new AbortController()
  const updating = update(waitForLock(fleet.context({ signal: interrupt.signal }), 60))
  await eventually(() => assert.is(fleet.notes.length, 1))
  interrupt.abort()
  const error = await updating.catch((thrown: unknown) => thrown)
  assert.is((error as Error).name, 'AbortError')
})

test('waits for nothing but the lock', async () => {
  const fleet = new FakeFleet([SEVEN])
  fleet.state.acquire = async () => {
    throw new TypeError('out of order')
  }
  const error = await update(waitForLock(fleet.context(), 60)).catch((thrown: unknown) => thrown)
  assert.instance(error, TypeError)
})

test.run()
