import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { nameStep } from '../../lib/domain/plan.ts'
import { findRollbackTarget, planReturn } from '../../lib/domain/plan-rollback.ts'
import { type Blueprint, gatewaySpec, indexSpec } from '../../lib/domain/plan-services.ts'
import { EMPTY_RECORD } from '../../lib/domain/record.ts'
import type { ServiceState, TaskPhase } from '../../lib/domain/service.ts'
import { healthy, refTo } from '../support/model-fleet.ts'
import { makeNode } from '../support/nodes.ts'

const blueprint: Blueprint = {
  strategy: 'side-by-side',
  gateway: { replicas: 2, port: 0, settings: {} },
  index: { replicas: 1, settings: {} },
  extractions: [],
}
const NODES = ['node-1']
const gatewayBy = (number: number) => healthy(gatewaySpec(blueprint, NODES, refTo(number)))
const indexWith = (...numbers: number[]) => healthy(indexSpec(blueprint, NODES, 0, numbers.map(refTo)))

function withFirstTask(service: ServiceState, state: TaskPhase): ServiceState {
  const [first, ...rest] = service.tasks
  return { ...service, tasks: [{ ...first!, state, generations: [] }, ...rest] }
}

const stepsOf = (services: ServiceState[], former: number | null = 7) =>
  planReturn(
    { nodes: [], services },
    { former: former === null ? null : refTo(former), target: refTo(8), clusters: [0] },
  ).steps.map(nameStep)

test('moves the gateway before the target leaves the index services', () => {
  assert.equal(stepsOf([indexWith(7, 8), gatewayBy(8)]), ['switch gateway', 'retire index_0'])
})

test('first drops the target from a service of which no task answers, so that the gateway can become ready', () => {
  const silent = withFirstTask(indexWith(7, 8), 'failed')
  assert.equal(stepsOf([silent, gatewayBy(8)]), ['retire index_0', 'switch gateway'])
})

test('changes again what a dead run may still be changing', () => {
  const services = [withFirstTask(indexWith(7), 'starting'), withFirstTask(gatewayBy(7), 'starting')]
  assert.equal(stepsOf(services), ['load index_0', 'switch gateway'])
})

test('does not wait for a copy that fails while another one serves the former generation', () => {
  assert.equal(stepsOf([indexWith(7), withFirstTask(gatewayBy(7), 'failed')]), [])
})

test('stops services of clusters that only the target has, and everything when nothing was served before', () => {
  assert.equal(stepsOf([indexWith(8), gatewayBy(8)]), ['switch gateway', 'stop index_0'])
  assert.equal(stepsOf([indexWith(8), gatewayBy(8)], null), ['stop gateway', 'stop index_0'])
})

test('makes again what somebody removed: the index services before the gateway', () => {
  const [index, gateway] = [indexWith(7, 8), gatewayBy(8)]
  const nodes = NODES.map((name) => makeNode(name, [refTo(7)]))
  const plan = (services: ServiceState[]) =>
    planReturn({ nodes, services }, { former: refTo(7), target: refTo(8), clusters: [0], blueprint }).steps
  assert.equal(plan([gateway]).map(nameStep), ['load index_0', 'switch gateway'])
  assert.equal(plan([gateway])[0]?.spec, indexSpec(blueprint, NODES, 0, [refTo(7)]))
  assert.equal(plan([index]).map(nameStep), ['switch gateway', 'retire index_0'])
  assert.equal(plan([index])[0]?.spec, gatewaySpec(blueprint, NODES, refTo(7)))
})

test('raises not-found with the releases there are', () => {
  const release = { id: 1, generation: refTo(7), command: 'update', at: '', by: '' } as const
  const record = { ...EMPTY_RECORD, releases: [release] }
  for (const to of [undefined, 'dg_9']) {
    assert.throws(
      () => findRollbackTarget(record, to),
      (error: unknown) =>
        error instanceof LongshoreError && error.kind === 'not-found' && /dg_7/.test(error.hint ?? ''),
    )
  }
  assert.equal(findRollbackTarget(record, 'dg_7'), refTo(7))
})

test.run()
