import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseProfile } from '../../lib/config/load.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import type { Finding } from '../../lib/domain/finding.ts'
import { countBytes } from '../../lib/domain/manifest.ts'
import type { ServiceSpec } from '../../lib/domain/service.ts'
import type { FleetContext } from '../../lib/flows/context.ts'
import { doctor } from '../../lib/flows/doctor.ts'
import { rollback } from '../../lib/flows/rollback.ts'
import { update } from '../../lib/flows/update.ts'
import { FakeFleet } from '../support/fakes/fleet-context.ts'
import { makeManifest } from '../support/fakes/manifest.ts'
import { raised } from '../support/raised.ts'

const SEVEN = makeManifest('dg_7')
const EIGHT = makeManifest('dg_8')
const INDEXES = ['index_0', 'index_0_b', 'index_1', 'index_1_b']
const PROFILE = parseProfile(
  `
name: test
nodes: [{ name: node-1 }, { name: node-2 }]
model: { name: lexical-hash, version: "1", dimensions: 4, metric: cosine, normalized: true }
gateway: { port: 0 }
index: { replicas: 2 }
update: { soakSeconds: 0, strategy: replica-groups }
`,
  'groups.yml',
)

/** A fleet in groups that serves dg_7, with dg_8 newly split. Every change of it is watched. */
async function makeServing(): Promise<FakeFleet> {
  const fleet = new FakeFleet([SEVEN])
  await update(contextOf(fleet))
  fleet.generations.add(EIGHT)
  fleet.orchestrator.changes.length = 0
  fleet.orchestrator.beforeChange = (spec) => assertAnswered(fleet, spec)
  return fleet
}

function contextOf(fleet: FakeFleet, overrides: Partial<FleetContext> = {}): FleetContext {
  return fleet.context({ profile: PROFILE, ...overrides })
}

/** While a service is changed it may be away: others must answer for what gateways route by. */
function assertAnswered({ orchestrator }: FakeFleet, changed: ServiceSpec): void {
  const all = [...orchestrator.services.values()]
  const routed = all.filter(({ spec }) => spec.kind === 'gateway').flatMap(({ spec }) => spec.generations)
  for (const { name } of changed.kind === 'gateway' ? [...routed, ...changed.generations] : routed) {
    for (const cluster of [0, 1]) {
      const holders = all.filter(
        ({ spec }) =>
          spec.cluster === cluster &&
          spec.name !== changed.name &&
          spec.generations.some((one) => one.name === name),
      )
      assert.ok(
        holders.length > 0,
        `nobody answers for cluster ${cluster} of ${name} while ${changed.name} changes`,
      )
    }
  }
}

const holdings = (fleet: FakeFleet) => INDEXES.map((name) => fleet.holds(name).join('+'))
const allOf = (name: string) => INDEXES.map(() => name)

test('moves every task to the new generation, half of the replicas after the gateway', async () => {
  const fleet = await makeServing()
  await update(contextOf(fleet))
  assert.equal(fleet.served(), ['dg_8'])
  assert.equal(holdings(fleet), allOf('dg_8'))
  assert.equal(fleet.orchestrator.changes, [
    'change index_0_b',
    'change index_1_b',
    'change gateway',
    'change index_0',
    'change index_1',
  ])
  assert.is((await update(contextOf(fleet))).outcome, 'nothing-to-do')
})

const bad = (words: string) => new LongshoreError('remote', words)
const holdsEight = (spec: ServiceSpec) => spec.generations.some(({ name }) => name === 'dg_8')
const failChange =
  (service: string) =>
  ({ orchestrator }: FakeFleet) => {
    orchestrator.failOn = (spec) =>
      spec.name === service && holdsEight(spec) ? bad('cannot map') : undefined
  }
const failCheck =
  (service: string) =>
  ({ orchestrator }: FakeFleet) => {
    orchestrator.failAsk = (task, path) =>
      path.endsWith('dg_8') && task.id.startsWith(`${service}.`) ? bad('wrong hits') : undefined
  }

const failures: Record<string, (fleet: FakeFleet) => void> = {
  'load index_1_b': failChange('index_1_b'),
  'check index_0_b': failCheck('index_0_b'),
  'switch gateway': failChange('gateway'),
  'soak dg_8': ({ orchestrator }) => {
    const change = orchestrator.change.bind(orchestrator)
    orchestrator.change = async (spec, options) => {
      await change(spec, options)
      if (spec.kind === 'gateway' && holdsEight(spec)) orchestrator.breakTasks('index_0_b', 'crashed late')
    }
  },
  'load index_1': failChange('index_1'),
  'check index_0': failCheck('index_0'),
}

for (const [step, fail] of Object.entries(failures)) {
  test(`has everything serve the former generation again when ${step} fails, and quarantines`, async () => {
    const fleet = await makeServing()
    fail(fleet)
    const error = await raised('rolled-back', update(contextOf(fleet)))
    assert.match(error.message, step)
    assert.equal(fleet.served(), ['dg_7'])
    assert.equal(holdings(fleet), allOf('dg_7'))
    assert.is(fleet.state.record.run, null)
    assert.is(fleet.state.record.releases.at(-1)?.generation.name, 'dg_7')
    await raised('quarantined', update(contextOf(fleet)))
  })
}

test('rolls back the same way, also from a machine that has no generation', async () => {
  const fleet = await makeServing()
  await update(contextOf(fleet))
  fleet.generations.manifests.clear()
  const answer = await rollback(contextOf(fleet))
  assert.equal(fleet.served(), ['dg_7'])
  assert.equal(holdings(fleet), allOf('dg_7'))
  const causes = (answer.json.plan as { action: string; cause: string }[])
    .filter(({ action }) => action === 'load')
    .map(({ cause }) => cause)
  assert.is(causes.length, 4)
  assert.ok(causes.every((cause) => cause.includes('(cold)')))
})

/** Interrupts an update at its `count`-th change; tells whether there was one. */
async function interruptAt(fleet: FakeFleet, count: number): Promise<boolean> {
  const controller = new AbortController()
  const { orchestrator } = fleet
  const watch = orchestrator.beforeChange
  let seen = 0
  orchestrator.beforeChange = async (spec) => {
    await watch(spec)
    if (++seen === count) controller.abort(new LongshoreError('interrupted', 'killed'))
  }
  await update(contextOf(fleet, { signal: controller.signal })).catch(() => null)
  orchestrator.beforeChange = watch
  return controller.signal.aborted
}

test('goes on where it was interrupted, or back from there without the files at hand', async () => {
  for (let count = 1; ; count++) {
    const fleet = await makeServing()
    if (!(await interruptAt(fleet, count))) {
      assert.is(count, 6)
      return
    }
    await update(contextOf(fleet))
    assert.equal([...fleet.served(), ...holdings(fleet)], ['dg_8', ...allOf('dg_8')])

    const other = await makeServing()
    await interruptAt(other, count)
    other.generations.manifests.clear()
    await rollback(contextOf(other))
    assert.equal([...other.served(), ...holdings(other)], ['dg_7', ...allOf('dg_7')])
  }
})

test('asks for the memory of one generation, not of two', async () => {
  const fleet = await makeServing()
  const bytes = countBytes(EIGHT)
  for (const name of ['node-1', 'node-2']) fleet.transport.node(name).memoryBytes = bytes
  const memoryOf = async (context: FleetContext) => {
    const { findings } = (await doctor(context)).json as { findings: Finding[] }
    return findings.filter(({ check }) => check === 'memory').map(({ state }) => state)
  }
  assert.equal(await memoryOf(contextOf(fleet)), ['ok', 'ok'])
  assert.equal(await memoryOf(fleet.context()), ['warn', 'warn'])
})

test('takes over a fleet that was updated side by side, and gives it back', async () => {
  const fleet = new FakeFleet([SEVEN])
  const sideBySide = { ...PROFILE, update: { ...PROFILE.update, strategy: 'side-by-side' as const } }
  await update(contextOf(fleet, { profile: sideBySide }))
  fleet.orchestrator.beforeChange = (spec) => (spec.order ? assertAnswered(fleet, spec) : undefined)
  fleet.generations.add(EIGHT)
  await update(contextOf(fleet))
  assert.equal([...fleet.served(), ...holdings(fleet)], ['dg_8', ...allOf('dg_8')])
  await update(contextOf(fleet, { profile: sideBySide }))
  assert.equal(holdings(fleet), ['dg_7+dg_8', '', 'dg_7+dg_8', ''])
  assert.is((await update(contextOf(fleet, { profile: sideBySide }))).outcome, 'nothing-to-do')
})

test.run()
