import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import type { Finding } from '../../lib/domain/finding.ts'
import type { FleetContext } from '../../lib/flows/context.ts'
import { doctor } from '../../lib/flows/doctor.ts'
import { rollback } from '../../lib/flows/rollback.ts'
import { update } from '../../lib/flows/update.ts'
import { rejectsWith } from '../support/errors.ts'
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

test('takes no lock', async () => {
  const fleet = await makeServing()
  let taken = 0
  fleet.state.acquire = async () => {
    taken++
    throw new LongshoreError('locked', 'somebody works')
  }
  assert.is((await doctor(fleet.context())).outcome, 'done')
  assert.is(taken, 0)
})

test('tells what the engine found around the fleet, and fails by it', async () => {
  const fleet = await makeServing()
  const found: Finding = { check: 'image', state: 'fail', detail: 'node-2 lacks it', hint: 'bring it there' }
  fleet.survey = async () => ({ findings: [found], silent: [] })
  const error = await rejectsWith(doctor(fleet.context()), 'remote', /1 of \d+ checks failed/)
  assert.is(error.hint, 'bring it there')
  assert.ok((error.answer.findings as Finding[]).includes(found))
})

test('counts a node that says nothing to the engine as one that cannot be reached, once', async () => {
  const fleet = await makeServing()
  const silent = [{ name: 'node-2', problem: 'wrong key', hint: 'check it there' }]
  fleet.survey = async () => ({ findings: [], silent })
  await expectFinding(fleet, 'fail', 'node', /node-2 cannot be reached: wrong key/)
  const findings = await examine(fleet.context())
  assert.is(findings.filter(({ detail }) => detail.includes('node-2')).length, 1)
})

test('examines what is left where services, the record and the lock cannot be asked', async () => {
  const fleet = await makeServing()
  const fail = async () => {
    throw new LongshoreError('remote', 'no manager answers')
  }
  Object.assign(fleet.orchestrator, { observe: fail })
  Object.assign(fleet.state, { read: fail, findHolder: fail })
  const findings = await examine(fleet.context())
  const failed = findings.filter(({ state }) => state === 'fail')
  assert.equal(failed.map(({ check }) => check).sort(), ['lock', 'record', 'services'])
  assert.ok(failed.every(({ detail, hint }) => /no manager answers/.test(detail) && hint.length > 5))
  assert.ok(findings.some(({ check, state }) => check === 'generation' && state === 'ok'))
})

test('finds a node that holds another generation of the same name than this machine', async () => {
  const fleet = await makeServing()
  fleet.generations.add(makeManifest('dg_7', {}, 'split again'))
  await expectFinding(fleet, 'warn', 'copy', /node-1 holds another dg_7/)
})

test('finds a lock that is held, and drift', async () => {
  const fleet = await makeServing()
  await fleet.state.acquire({ owner: 'somebody else', doing: 'update-indices dg_9' })
  await expectFinding(fleet, 'warn', 'lock', /somebody else/)
  fleet.orchestrator.breakTasks('index_0', 'it crashed')
  await expectFinding(fleet, 'warn', 'drift', /it crashed/)
})

test.run()
