import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { apply } from '../../lib/flows/apply.ts'
import { update } from '../../lib/flows/update.ts'
import { applyTo, listContents, listTasks, makeServingFleet } from '../support/applied.ts'
import type { FakeFleet } from '../support/fakes/fleet-context.ts'
import { FAKE_EXTRACTION, makeManifest } from '../support/fakes/manifest.ts'
import { raised } from '../support/raised.ts'

const TWO_COPIES = 'index: { replicas: 2 }\nextraction: { replicas: 2 }'

/** A fleet whose profile asks for more copies of three services, of which the last can never be ready. */
async function makeDoomed(): Promise<FakeFleet> {
  const fleet = await makeServingFleet()
  fleet.declare(TWO_COPIES)
  fleet.orchestrator.failOn = ({ name, replicas }) =>
    name === 'index_1' && replicas === 2 ? new LongshoreError('remote', 'no room for index_1') : undefined
  return fleet
}

test('puts the services back in reverse order when one fails, and says so', async () => {
  const fleet = await makeDoomed()
  const contents = listContents(fleet)
  const error = await raised('rolled-back', applyTo(fleet))
  assert.match(error.message, 'no room for index_1; every service stands as before')
  assert.equal(fleet.orchestrator.changes, [
    `change ${FAKE_EXTRACTION}`,
    'change index_0',
    'change index_1',
    'change index_0',
    `change ${FAKE_EXTRACTION}`,
  ])
  assert.equal(listContents(fleet), contents)
  assert.is((error.answer.differences as object[]).length, 3)
  assert.is(fleet.state.entries.at(-1)?.event, 'run-end')
})

test('goes on to the profile once what failed is mended', async () => {
  const fleet = await makeDoomed()
  await raised('rolled-back', applyTo(fleet))
  fleet.orchestrator.failOn = () => undefined
  assert.is((await applyTo(fleet)).outcome, 'done')
  assert.is((await applyTo(fleet, { undo: true })).outcome, 'done')
  assert.is(fleet.orchestrator.services.get('index_1')?.spec.replicas, 1)
})

test('stops again a service that was not there before', async () => {
  const fleet = await makeDoomed()
  fleet.orchestrator.services.delete(FAKE_EXTRACTION)
  await raised('rolled-back', applyTo(fleet))
  assert.not(fleet.orchestrator.services.has(FAKE_EXTRACTION))
})

test('says what stands where when a service cannot be put back', async () => {
  const fleet = await makeDoomed()
  fleet.orchestrator.failOn = ({ name, replicas }) => {
    const isLast = name === 'index_1' && replicas === 2
    const isWayBack = name === FAKE_EXTRACTION && replicas === 1
    return isLast || isWayBack ? new LongshoreError('remote', `${name} fails`) : undefined
  }
  const error = await raised('stuck', applyTo(fleet))
  assert.match(error.message, 'index_1 fails')
  assert.match(error.message, /putting the services back: change extraction_\w+ failed: extraction_\w+ fails/)
  assert.match(error.message, /extraction_\w+ holds no generation \(2 of 2 tasks ready\)/)
  assert.match(error.hint ?? '', 'apply.mjs --undo')
})

test('is stuck, not rolled back, when a service that was put back is not ready', async () => {
  const fleet = await makeDoomed()
  const { orchestrator } = fleet
  orchestrator.beforeChange = ({ name, replicas }) => {
    if (name === FAKE_EXTRACTION && replicas === 1) orchestrator.breakTasks('index_0', 'its node is down')
  }
  const error = await raised('stuck', applyTo(fleet))
  assert.match(error.message, /index_0: .*its node is down/)
})

test('goes back by --undo to where a stuck apply began', async () => {
  const fleet = await makeDoomed()
  const contents = listContents(fleet)
  const { failOn } = fleet.orchestrator
  fleet.orchestrator.failOn = (spec) =>
    spec.name === FAKE_EXTRACTION && spec.replicas === 1
      ? new LongshoreError('remote', 'stuck')
      : failOn(spec)
  await raised('stuck', applyTo(fleet))
  fleet.orchestrator.failOn = () => undefined
  await applyTo(fleet, { undo: true })
  assert.equal(listContents(fleet), contents)
})

test('leaves all as it is when it is interrupted, and continues when it is run again', async () => {
  const fleet = await makeServingFleet()
  fleet.declare(TWO_COPIES)
  const before = listContents(fleet)
  await interruptAt(fleet, 'index_0')
  assert.is(fleet.orchestrator.services.get(FAKE_EXTRACTION)?.spec.replicas, 2)
  assert.is(fleet.orchestrator.services.get('index_0')?.spec.replicas, 1)
  const { json } = await applyTo(fleet)
  assert.equal(
    (json.plan as { target: string }[]).map(({ target }) => target),
    ['index_0', 'index_1'],
  )
  await applyTo(fleet, { undo: true })
  assert.equal(listContents(fleet), before, 'the way back leads to where the first run began')
})

test('is undone where it was interrupted', async () => {
  const fleet = await makeServingFleet()
  fleet.declare(TWO_COPIES)
  const before = listContents(fleet)
  await interruptAt(fleet, 'index_1')
  await applyTo(fleet, { undo: true })
  assert.equal(listContents(fleet), before)
  await raised('not-found', applyTo(fleet, { undo: true }))
})

test('changes nothing more once the lock is lost', async () => {
  const fleet = await makeServingFleet()
  fleet.declare(TWO_COPIES)
  fleet.orchestrator.beforeChange = () => fleet.state.abandon()
  await raised('locked', applyTo(fleet))
  assert.equal(fleet.orchestrator.changes, [`change ${FAKE_EXTRACTION}`])
})

test('undoes an apply, and the undo too', async () => {
  const fleet = await makeServingFleet()
  const before = listContents(fleet)
  fleet.declare(TWO_COPIES)
  fleet.orchestrator.extras = { resources: { memory: '1G' } }
  await applyTo(fleet)
  const after = listContents(fleet)
  const { gateway } = listTasks(fleet)
  const answer = await applyTo(fleet, { undo: true })
  assert.is(answer.outcome, 'done')
  assert.match(answer.text, 'the next update follows the profile again')
  assert.equal(listContents(fleet), before)
  assert.is.not(listTasks(fleet).gateway, gateway)
  await applyTo(fleet, { undo: true })
  assert.equal(listContents(fleet), after)
})

test('undoes nothing before the first apply, and nothing across generations', async () => {
  const fleet = await makeServingFleet()
  const first = await raised('not-found', applyTo(fleet, { undo: true }))
  assert.match(first.message, '/fake/former.yml')
  fleet.declare(TWO_COPIES)
  await applyTo(fleet)
  fleet.generations.add(makeManifest('dg_3'))
  await update(fleet.context())
  fleet.orchestrator.changes.length = 0
  const error = await raised('not-found', applyTo(fleet, { undo: true }))
  assert.match(error.message, /index_0 held other generations before the last apply: dg_1 and dg_2/)
  assert.equal(fleet.orchestrator.changes, [])
})

test('refuses a way back that is not as it was written', async () => {
  const fleet = await makeServingFleet()
  fleet.stackFiles.documents.set('former', { services: 'none' })
  await raised('corrupt', applyTo(fleet, { undo: true }))
  assert.equal(fleet.orchestrator.changes, [])
})

/** Runs apply until it is about to change a service, and interrupts it there. */
async function interruptAt(fleet: FakeFleet, service: string): Promise<void> {
  const controller = new AbortController()
  fleet.orchestrator.beforeChange = ({ name }) => {
    if (name === service) controller.abort(new LongshoreError('interrupted', 'Ctrl-C'))
  }
  await raised('interrupted', apply(fleet.context({ signal: controller.signal })))
  fleet.orchestrator.beforeChange = () => undefined
  fleet.orchestrator.changes.length = 0
}

test.run()
