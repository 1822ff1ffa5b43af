import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { examineMarks } from '../../lib/domain/examine-marks.ts'
import { examineHostPort, examinePlacement } from '../../lib/domain/examine-placement.ts'
import { isMet } from '../../lib/domain/placement-constraint.ts'
import { type Making, parseMakings } from '../../lib/domain/swarm-making.ts'
import { parseMembers } from '../../lib/domain/swarm-members.ts'
import { assertFound, assertSound } from '../support/findings.ts'
import { readRecorded } from '../support/recorded.ts'

/** n1 and n2 are members of the fleet; nobody holds dg_1, which index_0 shall serve. n2 is drained. */
const RECORDED = parseMembers(readRecorded('docker-node-inspect.json'))
const MEMBERS = RECORDED.map((member) => ({ ...member, availability: 'active' }))
const [EXTRACTION, INDEX] = parseMakings(readRecorded('docker-service-inspect.json')) as [Making, Making]
const DIGEST = 'sha256:0123456789abcdef0123'
const HOLDERS = MEMBERS.map((member) => ({
  ...member,
  labels: { ...member.labels, 'longshore.rec.dg_1': '0123456789abcdef' },
}))

test('knows when a node meets a constraint', () => {
  const [, member] = MEMBERS
  const isMetBy = (constraint: string) => isMet(constraint, member!)
  for (const met of [
    'node.hostname==n2',
    'node.role != manager',
    'node.labels.lab.node==N2',
    'node.labels.x!=y',
  ]) {
    assert.ok(isMetBy(met), met)
  }
  for (const unmet of ['node.hostname!=n2', 'node.labels.x==y', 'node.platform.os==windows', 'odd']) {
    assert.not(isMetBy(unmet), unmet)
  }
})

test('is content where every service has a node', () => {
  assertSound(examinePlacement([EXTRACTION, INDEX], HOLDERS))
})

test('finds a service that no node may run, and the constraint to blame', () => {
  const findings = examinePlacement([EXTRACTION, INDEX], MEMBERS)
  assertFound(findings, 'fail', /rec_index_0 asks for: node\.labels\.longshore\.rec\.dg_1==/, /deliver\.mjs/)
  assert.is(findings.length, 1)
})

test('counts no node that takes no tasks', () => {
  const drained = HOLDERS.map((member) => ({ ...member, availability: 'drain' }))
  assertFound(examinePlacement([EXTRACTION], drained), 'fail', /no node that takes tasks/)
})

test('finds more tasks with a port on their node than nodes that may run one', () => {
  const actual = { ...EXTRACTION.actual, Mode: { Replicated: { Replicas: 3 } } }
  assertFound(
    examinePlacement([{ ...EXTRACTION, actual }], MEMBERS),
    'fail',
    /3 tasks .* only n1, n2 may run one/,
  )
})

test('finds a reservation that no node can give', () => {
  const { TaskTemplate } = EXTRACTION.actual
  const Resources = { Reservations: { MemoryBytes: 2 ** 50 } }
  const actual = { ...EXTRACTION.actual, TaskTemplate: { ...TaskTemplate, Resources } }
  assertFound(
    examinePlacement([{ ...EXTRACTION, actual }], MEMBERS),
    'fail',
    /no node has what one task/,
    /resources/,
  )
})

test('finds gateways that cannot have a port each on their nodes', () => {
  const needs = { publish: 'host' as const, nodes: ['n1', 'n2', 'n3'] }
  assert.equal(examineHostPort({ ...needs, replicas: 2 }, MEMBERS), [])
  assert.equal(examineHostPort({ ...needs, publish: 'ingress', replicas: 9 }, MEMBERS), [])
  assertFound(examineHostPort({ ...needs, replicas: 4 }, MEMBERS), 'fail', /replicas is 4/, /to 3/)
  assertFound(examineHostPort({ ...needs, replicas: 3 }, MEMBERS), 'warn', /replaced one by one/)
  assertFound(examineHostPort({ ...needs, replicas: 2 }, RECORDED), 'fail', /would wait for ever/, /to 1/)
})

test('finds marks of generations that do not lie there, or not as they were', () => {
  const examine = (digest: string | null | undefined) =>
    examineMarks('rec', HOLDERS, [
      { name: 'n1', generations: digest === undefined ? [] : [{ name: 'dg_1', digest }] },
    ])
  assertSound(examine(DIGEST))
  assertFound(examine(undefined), 'fail', /n1 is marked as holding dg_1 .* not there/, /deliver\.mjs dg_1/)
  assertFound(examine('sha256:ffff'), 'fail', /there lies another one \(sha256:ffff\)/)
  assertFound(examine(null), 'fail', /manifest there cannot be read/)
})

test.run()
