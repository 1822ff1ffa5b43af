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
const SWARM = `
engine: swarm
swarm: { managers: [node-1], image: "longshore:0" }
`

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

test('tells what left this machine for each node, and when it was there', async () => {
  const fleet = new FakeFleet([EIGHT])
  let now = 1000
  const answer = await deliver(fleet.context({ now: () => now++ }))
  const timeline = answer.json.timeline as Record<string, number>[]
  assert.equal(
    timeline.map(({ name, sent, saved }) => [name, sent, saved]),
    ['node-1', 'node-2'].map((name) => [name, countBytes(EIGHT), 0]),
  )
  for (const { started, published } of timeline) assert.ok(started! >= 0 && published! > started!)
})

test('in a Swarm, says by which way each node gets it and why, and goes that way', async () => {
  const fleet = new FakeFleet([SEVEN, EIGHT], SWARM)
  fleet.transport.hold(SEVEN, ['node-1'])
  const answer = await deliver(fleet.context())
  const plan = answer.json.plan as { via: string; base: string | null; sent: number; cause: string }[]
  assert.equal(
    plan.map(({ via, base }) => [via, base]),
    [
      ['relay', 'dg_7'],
      ['relay', null],
    ],
  )
  assert.match(plan[0]!.cause, 'what differs from dg_7, by relay')
  assert.equal(
    ['node-1', 'node-2'].map((node) => fleet.transport.routes.get(node)?.base?.name),
    ['dg_7', undefined],
  )
})

test('takes nothing for a base that goes to make room, and none at all where the profile wants whole files', async () => {
  const fleet = new FakeFleet(
    ['dg_5', 'dg_6', 'dg_7', 'dg_8'].map((name) => makeManifest(name)),
    SWARM,
  )
  for (const name of ['dg_5', 'dg_6']) fleet.transport.hold(makeManifest(name))
  const bases = async () =>
    ((await deliver(fleet.context({ dryRun: true }))).json.plan as { action: string; base?: string }[])
      .filter(({ action }) => action === 'deliver')
      .map(({ base }) => base)
  assert.equal(await bases(), ['dg_6', 'dg_6'])
  fleet.declare(`${SWARM}delivery: { delta: false }\n`)
  assert.equal(await bases(), [null, null])
})

test('tells the nodes that relays will serve before the gates are measured, and never in a dry run', async () => {
  const fleet = new FakeFleet([EIGHT], SWARM)
  await deliver(fleet.context({ dryRun: true }))
  assert.equal(fleet.transport.expected, [])
  fleet.generations.gatesOf = () => [atLeast('recall', 0.1, 0.9)]
  await raised('gate', deliver(fleet.context()))
  assert.equal(fleet.transport.expected, ['node-1', 'node-2'])
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

const heldBy = (fleet: FakeFleet, node: string) => [...fleet.transport.node(node).held.keys()].sort()

test('night after night without an update, keeps what is served and before, and no more than the profile says', async () => {
  const fleet = new FakeFleet([])
  for (const name of ['dg_1', 'dg_2', 'dg_3']) {
    fleet.generations.add(makeManifest(name))
    await update(fleet.context())
  }
  for (const name of ['dg_4', 'dg_5', 'dg_6', 'dg_7']) {
    fleet.generations.add(makeManifest(name))
    await deliver(fleet.context())
  }
  assert.equal(heldBy(fleet, 'node-1'), ['dg_2', 'dg_3', 'dg_6', 'dg_7'])
  const [first, ...others] = fleet.plans.at(-1)!.steps
  assert.equal([first?.action, first?.target, first?.batch], ['remove', 'dg_5', 1])
  assert.ok(others.some(({ action, batch }) => action === 'deliver' && batch === 2))
  await rollback(fleet.context())
  assert.equal(fleet.served(), ['dg_2'])
})

test('sends not a byte to a node without room, tells so beforehand, and delivers to the others', async () => {
  const fleet = new FakeFleet([EIGHT])
  fleet.transport.node('node-2').freeBytes = countBytes(EIGHT) - 1
  const shown = await deliver(fleet.context({ dryRun: true }))
  assert.equal(
    (shown.json.shortages as { node: string }[]).map(({ node }) => node),
    ['node-2'],
  )
  const error = await raised('partial', deliver(fleet.context()))
  assert.match(error.message, new RegExp(`node-2 .*no room: ${countBytes(EIGHT)} bytes`))
  assert.match(fleet.notes.at(-1)!, 'node-2 is left out')
  const delivered = fleet.transport.calls.filter(({ method }) => method === 'deliver')
  assert.equal(
    delivered.map(({ node }) => node),
    ['node-1'],
  )
  assert.is(fleet.transport.node('node-2').partial.size, 0)
})

test('makes room by what is beyond what is kept, before the first byte', async () => {
  const fleet = new FakeFleet(['dg_5', 'dg_6', 'dg_7', 'dg_8'].map((name) => makeManifest(name)))
  for (const name of ['dg_5', 'dg_6', 'dg_7']) fleet.transport.hold(makeManifest(name))
  for (const node of fleet.transport.nodes.values()) node.freeBytes = 0
  assert.is((await deliver(fleet.context())).outcome, 'done')
  assert.equal(heldBy(fleet, 'node-1'), ['dg_7', 'dg_8'])
})

test('an update ends before the first byte where a node has no room', async () => {
  const fleet = new FakeFleet([SEVEN])
  await update(fleet.context())
  fleet.generations.add(EIGHT)
  fleet.transport.node('node-2').freeBytes = 10
  const error = await raised('remote', update(fleet.context()))
  assert.match(error.message, /node-2: it has no room: .*nothing was changed/)
  assert.not.ok(fleet.transport.calls.some(({ generation }) => generation === 'dg_8'))
  assert.equal(fleet.served(), ['dg_7'])
})

test('measures what a delivery took, and tells the next one by it', async () => {
  const files = SEVEN.files.map((file) => ({ ...file, bytes: 2 ** 20 }))
  const fleet = new FakeFleet([makeManifest('dg_7', { files })], SWARM)
  let now = Date.parse('2026-11-20T03:00:00Z')
  const first = await deliver(fleet.context({ now: () => (now += 500) }))
  assert.is((first.json.plan as { estimatedMs?: number }[])[0]!.estimatedMs, undefined)
  const { bytesPerSecond, at } = fleet.measured['node-1']!.whole!
  assert.ok(bytesPerSecond > 0 && at.startsWith('2026-11-20T03:00'))
  fleet.generations.add(makeManifest('dg_8'))
  const second = await deliver(fleet.context({ dryRun: true }))
  const [step] = second.json.plan as { estimatedMs: number; estimatedFrom: string; base: string | null }[]
  // It holds dg_7 now, and what differences take was never measured.
  assert.is(step!.base, 'dg_7')
  assert.is(step!.estimatedMs, undefined)
  fleet.transport.node('node-1').held.clear()
  const third = await deliver(fleet.context({ dryRun: true }))
  assert.ok((third.json.plan as { node: string; estimatedMs?: number }[]).length > 0)
})

test.run()
