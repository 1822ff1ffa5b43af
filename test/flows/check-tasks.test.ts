import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { refOf } from '../../lib/domain/manifest.ts'
import { checkTasks } from '../../lib/flows/check-tasks.ts'
import { holdLock } from '../../lib/flows/session.ts'
import { update } from '../../lib/flows/update.ts'
import { FakeFleet } from '../support/fakes/fleet-context.ts'
import { makeManifest } from '../support/fakes/manifest.ts'
import { raised } from '../support/raised.ts'

const SEVEN = makeManifest('dg_7')

async function makeServing(): Promise<FakeFleet> {
  const fleet = new FakeFleet([SEVEN])
  await update(fleet.context())
  return fleet
}

const check = (fleet: FakeFleet, service = 'index_0') =>
  holdLock(fleet.context(), 'check', (session) => checkTasks(session, service, refOf(SEVEN)))

test('accepts tasks that hold the generation and pass its golden queries', async () => {
  await check(await makeServing())
})

test('refuses a task that does not pass, in its own words', async () => {
  const fleet = await makeServing()
  fleet.orchestrator.answer = () => ({
    digest: SEVEN.digest,
    passed: false,
    problem: 'query 3 lost its first hit',
  })
  assert.match((await raised('remote', check(fleet))).message, 'query 3 lost its first hit')
})

test('refuses a task that holds another generation under the same name', async () => {
  const fleet = await makeServing()
  fleet.orchestrator.answer = () => ({ digest: 'sha256:other', passed: true })
  assert.match((await raised('remote', check(fleet))).message, 'sha256:other')
})

test('refuses a task that is not ready, and a service that is not there', async () => {
  const fleet = await makeServing()
  fleet.orchestrator.breakTasks('index_0', 'out of memory')
  assert.match((await raised('remote', check(fleet))).message, 'out of memory')
  await raised('remote', check(fleet, 'index_9'))
})

test.run()
