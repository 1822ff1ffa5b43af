import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { apply } from '../../lib/flows/apply.ts'
import { update } from '../../lib/flows/update.ts'
import { applyTo, listContents, listTasks, makeServingFleet } from '../support/applied.ts'
import { FakeFleet } from '../support/fakes/fleet-context.ts'
import { FAKE_EXTRACTION, makeManifest } from '../support/fakes/manifest.ts'
import { raised } from '../support/raised.ts'

const TWO_COPIES = 'index: { replicas: 2 }'

test('has nothing to do where an update has just made the services', async () => {
  const fleet = await makeServingFleet()
  const tasks = listTasks(fleet)
  const answer = await applyTo(fleet)
  assert.is(answer.outcome, 'nothing-to-do')
  assert.equal(answer.json.differences, [])
  assert.equal(listTasks(fleet), tasks)
  assert.equal(fleet.orchestrator.changes, [])
})

test('changes only the services whose content differs, and tells each key', async () => {
  const fleet = await makeServingFleet()
  const { gateway, [FAKE_EXTRACTION]: extraction } = listTasks(fleet)
  fleet.declare(TWO_COPIES)
  const answer = await applyTo(fleet)
  assert.is(answer.outcome, 'done')
  assert.equal(answer.json.differences, [
    { service: 'index_0', path: 'replicas', from: 1, to: 2 },
    { service: 'index_1', path: 'replicas', from: 1, to: 2 },
  ])
  assert.match(answer.text, /^index_0 {2}replicas {2}1 -> 2$/m)
  assert.equal(fleet.orchestrator.changes, ['change index_0', 'change index_1'])
  const after = listTasks(fleet)
  assert.equal([after.gateway, after[FAKE_EXTRACTION]], [gateway, extraction])
  assert.is((await applyTo(fleet)).outcome, 'nothing-to-do')
})

test('changes one service after the other, in the order in which they need each other', async () => {
  const fleet = await makeServingFleet()
  fleet.declare('index: { replicas: 2 }\nextraction: { replicas: 2 }')
  fleet.orchestrator.extras = { resources: { memory: '1G' } }
  const { json } = await applyTo(fleet)
  assert.equal(
    (json.plan as { batch: number; target: string }[]).map(({ batch, target }) => `${batch} ${target}`),
    [`1 ${FAKE_EXTRACTION}`, '2 index_0', '3 index_1', '4 gateway'],
  )
})

test('sees what no spec tells', async () => {
  const fleet = await makeServingFleet()
  fleet.orchestrator.extras = { resources: { limits: { memory: '1G' } } }
  const { json } = await applyTo(fleet)
  assert.is((json.differences as object[]).length, 4)
  assert.equal((json.differences as object[])[0], {
    service: FAKE_EXTRACTION,
    path: 'resources',
    from: null,
    to: { limits: { memory: '1G' } },
  })
  assert.is((await applyTo(fleet)).outcome, 'nothing-to-do')
})

test('never moves serving: generations stay where they are loaded', async () => {
  const fleet = await makeServingFleet()
  fleet.generations.add(makeManifest('dg_3'))
  fleet.declare(TWO_COPIES)
  await applyTo(fleet)
  assert.equal(fleet.served(), ['dg_2'])
  assert.equal(fleet.holds('index_0'), ['dg_1', 'dg_2'])
})

test('leaves alone, and names, a service that the profile declares no more', async () => {
  const fleet = await makeServingFleet()
  fleet.declare('extraction: { url: "http://elsewhere:8501" }')
  const { [FAKE_EXTRACTION]: extraction } = listTasks(fleet)
  const answer = await applyTo(fleet)
  assert.equal(answer.json.strangers, [FAKE_EXTRACTION])
  assert.match(answer.text, /extraction_\w+ .*left alone; update-indices\.mjs dg_2 removes it/)
  assert.equal(listTasks(fleet)[FAKE_EXTRACTION], extraction)
  assert.equal(fleet.orchestrator.changes, ['change gateway'])
})

test('leaves an index service alone whose generations are needed by nobody', async () => {
  const fleet = await makeServingFleet()
  const { spec } = fleet.orchestrator.services.get('index_0')!
  fleet.orchestrator.run({
    ...spec,
    name: 'index_7',
    cluster: 7,
    generations: [{ name: 'dg_0', digest: 'sha256:0' }],
  })
  const answer = await applyTo(fleet)
  assert.is(answer.outcome, 'nothing-to-do')
  assert.equal(answer.json.strangers, ['index_7'])
  assert.match(answer.text, /^index_7 .*left alone/)
  assert.ok(fleet.orchestrator.services.has('index_7'))
})

test('brings back a service that the profile declares and that is gone', async () => {
  const fleet = await makeServingFleet()
  fleet.orchestrator.services.delete('index_1')
  const { json } = await applyTo(fleet)
  assert.equal(json.added, ['index_1'])
  assert.equal(fleet.holds('index_1'), ['dg_2'])
})

test('shows in a dry run what it would do, renders it, and does nothing', async () => {
  const fleet = await makeServingFleet()
  const contents = listContents(fleet)
  fleet.declare(TWO_COPIES)
  const answer = await apply(fleet.context({ dryRun: true }))
  assert.is(answer.outcome, 'done')
  assert.is((answer.json.plan as unknown[]).length, 2)
  assert.match(answer.text, /index_1 {2}replicas {2}1 -> 2/)
  assert.ok(fleet.stackFiles.documents.has('staging'))
  assert.not(fleet.stackFiles.documents.has('unfinished'))
  assert.equal(listContents(fleet), contents)
  assert.equal(fleet.state.entries, [])
})

test('changes nothing when the operator says no', async () => {
  const fleet = await makeServingFleet()
  fleet.declare(TWO_COPIES)
  fleet.confirm = async () => {
    throw new LongshoreError('aborted', 'no')
  }
  await raised('aborted', applyTo(fleet))
  assert.equal(fleet.orchestrator.changes, [])
})

test('does not choose a generation: where nothing is served it says which command does', async () => {
  const fleet = new FakeFleet([makeManifest('dg_1')])
  const error = await raised('not-found', applyTo(fleet))
  assert.match(error.hint ?? '', 'update-indices.mjs')
  assert.equal(fleet.orchestrator.changes, [])
})

test('does not meddle with an update that is unfinished', async () => {
  const fleet = await makeServingFleet()
  const generation = { name: 'dg_3', digest: 'sha256:3' }
  fleet.state.record = {
    ...fleet.state.record,
    run: {
      id: '1',
      command: 'update',
      target: generation,
      former: null,
      phase: 'forward',
      reason: null,
      startedAt: 'yesterday',
      owner: 'somebody',
    },
  }
  fleet.declare(TWO_COPIES)
  const error = await raised('gate', applyTo(fleet))
  assert.match(error.message, /update to dg_3, begun yesterday by somebody, is unfinished/)
  assert.equal(fleet.orchestrator.changes, [])
})

test('is on record, under the lock', async () => {
  const fleet = await makeServingFleet()
  fleet.declare(TWO_COPIES)
  fleet.orchestrator.beforeChange = () => assert.is(fleet.state.claim?.doing, 'apply')
  await applyTo(fleet)
  assert.is(fleet.state.claim, undefined)
  assert.equal(
    fleet.state.entries.map(({ event }) => event),
    ['run-begin', 'step-begin', 'step-done', 'step-begin', 'step-done', 'run-end'],
  )
})

test('counts a node as a place once it holds what is loaded', async () => {
  const fleet = await makeServingFleet()
  fleet.declare('')
  const nodes = [...fleet.profile.nodes, { ...fleet.profile.nodes[0]!, name: 'node-3' }]
  fleet.profile = { ...fleet.profile, nodes }
  fleet.transport.addNode('node-3')
  assert.is((await applyTo(fleet)).outcome, 'nothing-to-do')
  assert.match(fleet.notes.join('\n'), /node-3 does not hold dg_1 and dg_2: update-indices\.mjs dg_2/)
  for (const name of ['dg_1', 'dg_2']) fleet.transport.hold(makeManifest(name), ['node-3'])
  const { json } = await applyTo(fleet)
  assert.ok((json.differences as { path: string }[]).every(({ path }) => path === 'nodes'))
  assert.equal(fleet.orchestrator.services.get('gateway')?.spec.nodes, ['node-1', 'node-2', 'node-3'])
})

test('changes nothing while a node cannot be reached, or goes on without it, as the profile says', async () => {
  const fleet = await makeServingFleet()
  fleet.transport.node('node-2').reachable = false
  fleet.declare(TWO_COPIES)
  await raised('remote', applyTo(fleet))
  assert.equal(fleet.orchestrator.changes, [])
  fleet.profile = { ...fleet.profile, update: { ...fleet.profile.update, unreachableNodes: 'continue' } }
  const error = await raised('partial', applyTo(fleet))
  assert.match(error.message, 'node-2')
  assert.equal(fleet.orchestrator.services.get('index_0')?.spec.nodes, ['node-1'])
})

test('agrees with an update on how services shall be', async () => {
  const fleet = await makeServingFleet()
  fleet.declare('index: { replicas: 2 }\nextraction: { replicas: 3 }')
  await applyTo(fleet)
  assert.is((await update(fleet.context())).outcome, 'nothing-to-do')
})

test.run()
