import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import type { Finding } from '../../lib/domain/finding.ts'
import type { FleetContext } from '../../lib/flows/context.ts'
import { doctor } from '../../lib/flows/doctor.ts'
import { rollback } from '../../lib/flows/rollback.ts'
import { update } from '../../lib/flows/update.ts'
import { FakeFleet } from '../support/fakes/fleet-context.ts'
import { makeManifest } from '../support/fakes/manifest.ts'

async function makeServing(): Promise<FakeFleet> {
  const fleet = new FakeFleet([])
  for (const name of ['dg_7', 'dg_8']) {
    fleet.generations.add(makeManifest(name))
    await update(fleet.context())
  }
  return fleet
}

async function examine(context: FleetContext): Promise<Finding[]> {
  const json = await doctor(context).then(
    (answer) => answer.json,
    (error: unknown) => {
      if (error instanceof LongshoreError && error.kind === 'remote') return error.answer
      throw error
    },
  )
  return json.findings as Finding[]
}

async function expectFinding(fleet: FakeFleet, state: Finding['state'], check: string, detail: RegExp) {
  const findings = await examine(fleet.context())
  const found = findings.filter((finding) => finding.check === check && finding.state === state)
  assert.ok(
    found.some((finding) => detail.test(finding.detail) && finding.hint.length > 5),
    JSON.stringify(findings, null, 1),
  )
}

test('finds nothing on a sound fleet, and changes nothing', async () => {
  const fleet = await makeServing()
  const { record } = fleet.state
  const { outcome, json } = await doctor(fleet.context())
  assert.is(outcome, 'done')
  const findings = json.findings as Finding[]
  assert.equal(
    findings.filter(({ state, check }) => state !== 'ok' && check !== 'settings'),
    [],
  )
  assert.is(fleet.state.record, record)
})

test('finds a node that cannot be reached', async () => {
  const fleet = await makeServing()
  fleet.transport.node('node-2').reachable = false
  await expectFinding(fleet, 'fail', 'node', /node-2/)
  Object.assign(fleet.profile.update, { unreachableNodes: 'continue' })
  await expectFinding(fleet, 'warn', 'node', /node-2/)
})

test('finds a node without room for the newest generation', async () => {
  const fleet = await makeServing()
  fleet.generations.add(makeManifest('dg_9'))
  fleet.transport.node('node-1').freeBytes = 5
  fleet.transport.node('node-2').memoryBytes = 5
  await expectFinding(fleet, 'fail', 'disk', /node-1 has/)
  await expectFinding(fleet, 'warn', 'memory', /node-2 has/)
})

test('finds a newest generation that is not whole, or may not be served', async () => {
  const fleet = await makeServing()
  await rollback(fleet.context())
  await expectFinding(fleet, 'warn', 'standing', /frozen/)
  fleet.generations.failures.set('dg_8', new LongshoreError('corrupt', 'manifest.json: is no JSON'))
  await expectFinding(fleet, 'fail', 'generation', /no JSON/)
})

test('finds a port that somebody else has', async () => {
  const fleet = new FakeFleet([makeManifest('dg_7')])
  fleet.publishProblem = 'taken by another process'
  await expectFinding(fleet, 'fail', 'port', /not free.*taken by another process/)
})

test('finds an embedder that is silent, or of other dimensions', async () => {
  const fleet = await makeServing()
  const embedders = [
    async () => new Float32Array(3),
    async () => {
      throw new LongshoreError('remote', 'connection refused')
    },
  ]
  for (const embed of embedders) {
    const findings = await examine(fleet.context({ embedder: { embed } }))
    assert.is(findings.find(({ check }) => check === 'extraction')?.state, 'fail')
  }
})

test('finds a lock that is held, and drift', async () => {
  const fleet = await makeServing()
  await fleet.state.acquire({ owner: 'somebody else', doing: 'update-indices dg_9' })
  await expectFinding(fleet, 'warn', 'lock', /somebody else/)
  fleet.orchestrator.breakTasks('index_0', 'it crashed')
  await expectFinding(fleet, 'warn', 'drift', /it crashed/)
})

test.run()
