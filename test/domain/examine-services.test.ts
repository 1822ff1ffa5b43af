import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { examineHealthChecks, examineMakings } from '../../lib/domain/examine-services.ts'
import { filterFleet, findMeshed, type Making, parseMakings } from '../../lib/domain/swarm-making.ts'
import { assertFound, assertSound } from '../support/findings.ts'
import { readRecorded } from '../support/recorded.ts'

type Raw = {
  Spec: {
    Labels: Record<string, string>
    Mode: { Replicated: { Replicas: number } }
    UpdateConfig: { Order: string }
    EndpointSpec: { Ports: { PublishMode: string }[] }
    TaskTemplate: { ContainerSpec: { Env: string[]; Healthcheck?: { Interval: number } } }
  }
  UpdateStatus?: { State: string; Message: string }
}

const TEXT = readRecorded('docker-service-inspect.json')

test('is content with services as the Swarm prints them just after they were made', () => {
  const makings = parseMakings(TEXT)
  assert.equal(
    makings.map(({ name }) => name),
    ['rec_extraction', 'rec_index_0'],
  )
  assertSound(examineMakings(makings))
  assertSound(examineHealthChecks(makings))
})

test('finds a health check that somebody took away', () => {
  const makings = parseMakings(readRecorded('docker-service-inspect-edited.json'))
  assertFound(examineHealthChecks(makings), 'fail', /rec_extraction has no health check/, /apply\.mjs/)
  assertFound(
    examineMakings(makings),
    'warn',
    /changed the service rec_extraction: healthcheck\.test CMD node .* -> NONE/,
  )
})

test('takes a restart that somebody forced for no change', () => {
  const [, index] = parseMakings(readRecorded('docker-service-inspect-edited.json'))
  assertSound(examineMakings([index!]))
})

const EDITS: [string, (raw: Raw) => void, RegExp][] = [
  ['replicas', ({ Spec }) => Object.assign(Spec.Mode.Replicated, { Replicas: 3 }), /replicas 1 -> 3/],
  [
    'order',
    ({ Spec }) => Object.assign(Spec.UpdateConfig, { Order: 'stop-first' }),
    /order start-first -> stop-first/,
  ],
  [
    'a port',
    ({ Spec }) => Object.assign(Spec.EndpointSpec.Ports[0]!, { PublishMode: 'ingress' }),
    /ports .*host/,
  ],
  [
    'a variable',
    ({ Spec }) => Spec.TaskTemplate.ContainerSpec.Env.push('DEBUG=1'),
    /environment\.DEBUG \(none\) -> 1/,
  ],
  [
    'time between looks',
    ({ Spec }) => Object.assign(Spec.TaskTemplate.ContainerSpec.Healthcheck!, { Interval: 9e9 }),
    /healthcheck\.interval 2000ms -> 9000ms/,
  ],
]

for (const [what, edit, detail] of EDITS) {
  test(`finds a service of which somebody changed ${what}`, () => {
    assertFound(examineMakings(editFirst(edit)), 'warn', detail, /what you want into the profile/)
  })
}

test('finds labels that were taken away', () => {
  const unseen = editFirst(({ Spec }) => delete Spec.Labels['longshore.spec'])
  assertFound(examineMakings(unseen), 'warn', /took the label longshore\.spec off the service rec_extraction/)
  const spoilt = editFirst(({ Spec }) => Object.assign(Spec.Labels, { 'longshore.made': '{' }))
  assertFound(examineMakings(spoilt), 'warn', /longshore\.made/)
})

test('finds an update in whose middle the Swarm stopped', () => {
  const UpdateStatus = { State: 'paused', Message: 'update paused due to failure of task x' }
  const paused = editFirst((raw) => Object.assign(raw, { UpdateStatus }))
  assertFound(examineMakings(paused), 'warn', /rec_extraction: update paused due to failure/, /rollback/)
})

test('tells services of the fleet from others, and who publishes a port on every node', () => {
  const makings = parseMakings(TEXT)
  assert.is(filterFleet(makings, 'rec').length, 2)
  assert.equal(filterFleet(makings, 'other'), [])
  assert.equal(findMeshed(makings, 14005), [])
  const meshed = editFirst(({ Spec }) =>
    Object.assign(Spec.EndpointSpec.Ports[0]!, { PublishMode: 'ingress' }),
  )
  assert.equal(findMeshed(meshed, 14005), ['rec_extraction'])
})

test.run()

function editFirst(edit: (raw: Raw) => unknown): Making[] {
  const [first] = JSON.parse(TEXT) as [Raw]
  edit(first)
  return parseMakings(JSON.stringify([first]))
}
