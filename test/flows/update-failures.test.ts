import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import type { ServiceSpec } from '../../lib/domain/service.ts'
import { update } from '../../lib/flows/update.ts'
import { FakeFleet } from '../support/fakes/fleet-context.ts'
import { makeManifest } from '../support/fakes/manifest.ts'
import { raised } from '../support/raised.ts'

const SEVEN = makeManifest('dg_7')
const EIGHT = makeManifest('dg_8')

/** A fleet that serves dg_7, with dg_8 newly split. */
async function makeServing(): Promise<FakeFleet> {
  const fleet = new FakeFleet([SEVEN])
  await update(fleet.context())
  fleet.generations.add(EIGHT)
  fleet.orchestrator.changes.length = 0
  return fleet
}

const holdsEight = (spec: ServiceSpec) => spec.generations.some(({ name }) => name === 'dg_8')

const failures: Record<string, (fleet: FakeFleet) => void> = {
  load: ({ orchestrator }) => {
    orchestrator.failOn = (spec) =>
      spec.name === 'index_1' && holdsEight(spec) ? new LongshoreError('remote', 'cannot map') : undefined
  },
  check: ({ orchestrator }) => {
    orchestrator.failAsk = (_task, path) =>
      path.endsWith('dg_8') ? new LongshoreError('remote', 'wrong hits') : undefined
  },
  switch: ({ orchestrator }) => {
    orchestrator.failOn = (spec) =>
      spec.kind === 'gateway' && holdsEight(spec) ? new LongshoreError('remote', 'canary failed') : undefined
  },
  soak: ({ orchestrator }) => {
    const change = orchestrator.change.bind(orchestrator)
    orchestrator.change = async (spec, options) => {
      await change(spec, options)
      if (spec.kind === 'gateway' && holdsEight(spec)) orchestrator.breakTasks('index_0', 'crashed late')
    }
  },
}

for (const [action, fail] of Object.entries(failures)) {
  test(`goes back and quarantines when ${action} fails, and refuses the next run`, async () => {
    const fleet = await makeServing()
    fail(fleet)
    const error = await raised('rolled-back', update(fleet.context()))
    assert.match(error.message, `${action} `)
    assert.match(error.message, 'dg_7 is serving')
    assert.is(error.answer.generation, 'dg_8')
    assert.equal(fleet.served(), ['dg_7'])
    assert.equal(fleet.holds('index_0'), ['dg_7'])
    assert.equal(fleet.holds('index_1'), ['dg_7'])
    assert.is(fleet.state.record.run, null)
    assert.is(fleet.state.record.quarantined[0]?.generation.name, 'dg_8')
    const changes = fleet.orchestrator.changes.length
    await raised('quarantined', update(fleet.context()))
    assert.is(fleet.orchestrator.changes.length, changes)
  })
}

test('blames nobody when a delivery fails, and needs no force afterwards', async () => {
  const fleet = await makeServing()
  fleet.transport.failOn = ({ method, node }) =>
    method === 'deliver' && node === 'node-2' ? new LongshoreError('remote', 'node-2 has no room') : undefined
  const error = await raised('remote', update(fleet.context()))
  assert.match(error.message, 'no room')
  assert.equal(fleet.state.record.quarantined, [])
  assert.is(fleet.state.record.run, null)
  assert.equal(fleet.orchestrator.changes, [])
  fleet.transport.failOn = () => undefined
  assert.is((await update(fleet.context())).outcome, 'done')
})

test('blames nobody when a node is lost in the middle', async () => {
  const fleet = await makeServing()
  fleet.orchestrator.failOn = (spec) => {
    if (!holdsEight(spec)) return undefined
    fleet.transport.node('node-2').reachable = false
    return new LongshoreError('remote', 'node-2 went away')
  }
  await raised('remote', update(fleet.context()))
  assert.equal(fleet.served(), ['dg_7'])
  assert.equal(fleet.state.record.quarantined, [])
})

test('blames nobody when what runs the tasks is gone', async () => {
  const fleet = await makeServing()
  const { orchestrator } = fleet
  orchestrator.failOn = (spec) => {
    if (!holdsEight(spec)) return undefined
    for (const [name, state] of orchestrator.services)
      orchestrator.services.set(name, { ...state, tasks: [] })
    return new LongshoreError('remote', 'the agent ended in the middle of a change')
  }
  await raised('remote', update(fleet.context()))
  assert.equal(fleet.state.record.quarantined, [])
  assert.equal(fleet.served(), ['dg_7'])
})

test('blames nobody when the port of the gateway is taken, and starts nothing', async () => {
  const fleet = new FakeFleet([SEVEN])
  fleet.publishProblem = 'taken by another process'
  assert.match((await raised('remote', update(fleet.context()))).message, 'taken by another process')
  assert.is(fleet.orchestrator.services.size, 0)
  assert.equal(fleet.state.record.quarantined, [])
})

test('stops what it started when the first generation ever fails', async () => {
  const fleet = new FakeFleet([SEVEN])
  fleet.orchestrator.failOn = (spec) =>
    spec.kind === 'gateway' ? new LongshoreError('remote', 'bad') : undefined
  const error = await raised('rolled-back', update(fleet.context()))
  assert.match(error.message, 'nothing is served')
  assert.is(fleet.orchestrator.services.size, 0)
})

test('is stuck when going back fails, says what stands where, and goes on going back the next time', async () => {
  const fleet = await makeServing()
  const { orchestrator } = fleet
  failures.soak?.(fleet)
  orchestrator.failOn = (spec) =>
    spec.kind === 'gateway' && !holdsEight(spec) ? new LongshoreError('remote', 'no memory') : undefined
  const error = await raised('stuck', update(fleet.context()))
  assert.match(error.message, 'gateway holds dg_8')
  assert.is(fleet.state.record.run?.phase, 'compensating')
  orchestrator.failOn = () => undefined
  await raised('quarantined', update(fleet.context()))
  assert.equal(fleet.served(), ['dg_7'])
  assert.is(fleet.state.record.run, null)
})

test('is stuck when the way back is cut off, says what stands where, and goes on once it can', async () => {
  const fleet = await makeServing()
  failures.load?.(fleet)
  fleet.state.failOn = (what) =>
    'releases' in what && what.run?.phase === 'compensating'
      ? new LongshoreError('remote', 'nobody answers')
      : undefined
  const error = await raised('stuck', update(fleet.context()))
  assert.match(error.message, 'going back from dg_8 to dg_7 was cut off: nobody answers')
  assert.match(error.message, 'gateway holds dg_7')
  assert.equal(fleet.state.record.quarantined, [])
  fleet.state.failOn = () => undefined
  fleet.orchestrator.failOn = () => undefined
  assert.is((await update(fleet.context())).outcome, 'done')
})

test('is stuck when the gateway says that it is back but its tasks serve something else', async () => {
  const fleet = await makeServing()
  failures.soak?.(fleet)
  const { orchestrator } = fleet
  const change = orchestrator.change.bind(orchestrator)
  orchestrator.change = async (spec, options) => {
    const before = orchestrator.services.get(spec.name)
    await change(spec, options)
    if (spec.kind !== 'gateway' || holdsEight(spec) || !before) return
    orchestrator.services.set(spec.name, { spec, tasks: before.tasks })
  }
  const error = await raised('stuck', update(fleet.context()))
  assert.match(error.message, 'dg_8 is served, expected dg_7')
})

test('leaves a committed generation in service when tidying up fails', async () => {
  const fleet = await makeServing()
  fleet.transport.hold(makeManifest('dg_3'))
  fleet.transport.hold(makeManifest('dg_4'))
  fleet.transport.failOn = ({ method }) =>
    method === 'remove' ? new LongshoreError('remote', 'read-only') : undefined
  await raised('partial', update(fleet.context()))
  assert.equal(fleet.served(), ['dg_8'])
  fleet.transport.failOn = () => undefined
  assert.is((await update(fleet.context())).outcome, 'done')
  assert.is((await update(fleet.context())).outcome, 'nothing-to-do')
})

test('blames no generation where what runs the tasks has failed, and says that the former one is serving', async () => {
  const fleet = await makeServing()
  fleet.orchestrator.failOn = (spec) =>
    spec.name === 'index_1' && holdsEight(spec)
      ? new LongshoreError('remote', 'its node was lost', { blame: 'fleet' })
      : undefined
  const error = await raised('remote', update(fleet.context()))
  assert.match(error.message, /load index_1 failed: its node was lost; dg_7 is serving/)
  assert.equal(fleet.state.record.quarantined, [])
  fleet.orchestrator.failOn = () => undefined
  assert.is((await update(fleet.context())).outcome, 'done')
})

test('blames no generation where the tasks of a service are gone, or lost with their node', async () => {
  for (const tasks of [
    [],
    [{ id: 'index_1.9', node: 'node-1', state: 'failed', generations: [], isLost: true }],
  ] as const) {
    const fleet = await makeServing()
    const change = fleet.orchestrator.change.bind(fleet.orchestrator)
    fleet.orchestrator.change = async (spec, options) => {
      await change(spec, options)
      const state = fleet.orchestrator.services.get('index_1')!
      if (spec.kind === 'gateway' && holdsEight(spec)) {
        fleet.orchestrator.services.set('index_1', { ...state, tasks })
      }
    }
    const error = await raised('remote', update(fleet.context()))
    assert.match(error.message, /soak dg_8 failed: .*index_1.*; dg_7 is serving/)
    assert.equal(fleet.state.record.quarantined, [])
  }
})

for (const service of ['index_1', 'gateway']) {
  test(`makes ${service} again where somebody removes it in the midst, and blames no generation`, async () => {
    const fleet = await makeServing()
    const change = fleet.orchestrator.change.bind(fleet.orchestrator)
    fleet.orchestrator.change = async (spec, options) => {
      await change(spec, options)
      if (spec.kind === 'gateway' && holdsEight(spec)) fleet.orchestrator.services.delete(service)
    }
    const error = await raised('remote', update(fleet.context()))
    assert.match(error.message, `${service} was removed by somebody else; dg_7 is serving`)
    assert.equal(fleet.served(), ['dg_7'])
    assert.equal(fleet.holds('index_1'), ['dg_7'])
    assert.equal(fleet.state.record.quarantined, [])
  })
}

test.run()
