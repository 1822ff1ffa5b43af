import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { countBytes } from '../../lib/domain/manifest.ts'
import { atLeast } from '../../lib/domain/quality.ts'
import { deliver } from '../../lib/flows/deliver.ts'
import { rollback } from '../../lib/flows/rollback.ts'
import { update } from '../../lib/flows/update.ts'
import { FakeFleet } from '../support/fakes/fleet-context.ts'
import { makeManifest } from '../support/fakes/manifest.ts'
import { raised } from '../support/raised.ts'

const SEVEN = makeManifest('dg_7')
const EIGHT = makeManifest('dg_8')

test('puts the newest generation on every node, and serves nothing', async () => {
  const fleet = new FakeFleet([SEVEN, EIGHT])
  const answer = await deliver(fleet.context())
  assert.is(answer.json.generation, 'dg_8')
  assert.is(answer.json.bytesSent, 2 * countBytes(EIGHT))
  assert.equal(answer.json.nodes, [
    { name: 'node-1', state: 'delivered', bytes: countBytes(EIGHT) },
    { name: 'node-2', state: 'delivered', bytes: countBytes(EIGHT) },
  ])
  assert.is(fleet.orchestrator.services.size, 0)
})

test('does nothing the second time', async () => {
  const fleet = new FakeFleet([EIGHT])
  await deliver(fleet.context())
  const lines = fleet.state.entries.length
  const answer = await deliver(fleet.context())
  assert.is(answer.outcome, 'nothing-to-do')
  assert.is(answer.json.bytesSent, 0)
  assert.is(fleet.state.entries.length, lines)
})

test('names the nodes that did not receive it, and gives it to the others', async () => {
  const fleet = new FakeFleet([EIGHT])
  fleet.transport.failOn = ({ method, node }) =>
    method === 'deliver' && node === 'node-1' ? new LongshoreError('remote', 'no room') : undefined
  const error = await raised('partial', deliver(fleet.context()))
  assert.match(error.message, /node-1.*no room/)
  assert.ok(fleet.transport.node('node-2').held.has('dg_8'))
  assert.is((error.answer.nodes as { state: string }[])[0]?.state, 'failed')

  fleet.transport.failOn = () => undefined
  fleet.transport.node('node-1').reachable = false
  assert.match((await raised('partial', deliver(fleet.context()))).message, 'node-1')
  fleet.transport.node('node-1').reachable = true
  assert.is((await deliver(fleet.context())).outcome, 'done')
})

test('fails when no node received it', async () => {
  const fleet = new FakeFleet([EIGHT])
  for (const node of fleet.transport.nodes.values()) node.freeBytes = 10
  await raised('remote', deliver(fleet.context()))
})

test('delivers nothing that fails a gate, is quarantined or frozen', async () => {
  const fleet = new FakeFleet([SEVEN])
  await update(fleet.context())
  fleet.generations.add(EIGHT)
  fleet.generations.gatesOf = () => [atLeast('recall', 0.1, 0.9)]
  await raised('gate', deliver(fleet.context()))
  await raised('quarantined', deliver(fleet.context()))
  fleet.generations.gatesOf = () => []
  await update(fleet.context(), { force: true })
  await rollback(fleet.context())
  await raised('quarantined', deliver(fleet.context()))
})

test('only tells in a dry run', async () => {
  const fleet = new FakeFleet([EIGHT])
  const answer = await deliver(fleet.context({ dryRun: true }))
  assert.is((answer.json.plan as unknown[]).length, 2)
  assert.is(fleet.transport.node('node-1').held.size, 0)
})

test.run()
