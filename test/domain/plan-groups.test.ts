import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { type Fleet, findServed, findService, findServiceProblem } from '../../lib/domain/fleet.ts'
import type { Shape } from '../../lib/domain/placement.ts'
import { batchesOf, nameStep, type Plan, type Step } from '../../lib/domain/plan.ts'
import { planReturn } from '../../lib/domain/plan-rollback.ts'
import type { Blueprint, Strategy } from '../../lib/domain/plan-services.ts'
import { planUpdate, type Wish } from '../../lib/domain/plan-update.ts'
import { indexServiceName } from '../../lib/domain/service.ts'
import { applyWatched, listResidents } from '../support/groups-model.ts'
import { applyStepToModel, applyToModel, refTo, shapeWith } from '../support/model-fleet.ts'
import { makeNode } from '../support/nodes.ts'

const NODES = ['node-1', 'node-2', 'node-3', 'node-4', 'node-5']
const CLUSTERS = [0, 1, 2]
const SEVEN = shapeWith(7, [0, 1])
const EIGHT = shapeWith(8, [0, 1])

const blueprintOf = (strategy: Strategy): Blueprint => ({
  strategy,
  gateway: { replicas: 2, port: 14005, settings: strategy === 'side-by-side' ? {} : { INDEX_GROUPS: 'a,b' } },
  index: { replicas: 3, settings: {} },
  extractions: [],
})

const EMPTY: Fleet = {
  nodes: NODES.map((name) => makeNode(name)),
  services: [],
}

function wishFor(target: Shape, former: Shape | null, strategy: Strategy = 'replica-groups'): Wish {
  return {
    target,
    companion: former && former.generation.name !== target.generation.name ? former : null,
    blueprint: blueprintOf(strategy),
    proven: false,
    released: former?.generation ?? null,
    kept: [],
    keep: 1,
  }
}

/** A fleet that serves a generation, brought there by its strategy. */
function serving(shape: Shape, strategy: Strategy = 'replica-groups'): Fleet {
  return applyToModel(EMPTY, planUpdate(EMPTY, wishFor(shape, null, strategy)))
}

const toEight = (fleet: Fleet) => planUpdate(fleet, wishFor(EIGHT, SEVEN))
const batchesIn = (plan: Plan) => batchesOf(plan).map((batch) => batch.map(nameStep))
const goBack = (fleet: Fleet, clusters: readonly number[] | null = SEVEN.clusters) =>
  planReturn(fleet, { former: SEVEN.generation, target: EIGHT.generation, clusters })

/** The fleet once all steps up to the given one are done. */
function upTo(step: string): Fleet {
  const { steps } = toEight(serving(SEVEN))
  const count = steps.findIndex((one) => nameStep(one) === step) + 1
  return steps.slice(0, count).reduce(applyStepToModel, serving(SEVEN))
}

test('moves one group before the gateway and the other one after it, each checked, and releases last', () => {
  const batches = batchesIn(toEight(serving(SEVEN))).slice(1)
  assert.equal(batches, [
    ['load index_0_b', 'load index_1_b'],
    ['check index_0_b', 'check index_1_b'],
    ['switch gateway'],
    ['soak dg_8'],
    ['load index_0', 'load index_1'],
    ['check index_0', 'check index_1'],
    ['commit dg_8'],
  ])
})

test('gives every task one generation, and the groups nodes of their own', () => {
  const fleet = serving(SEVEN)
  const [first, second] = ['index_0', 'index_0_b'].map((name) => findService(fleet, name)!.spec)
  assert.equal([first?.replicas, second?.replicas], [2, 1])
  assert.equal([first?.order, second?.order], ['stop-first', 'stop-first'])
  assert.is(first?.settings.SELF_CHECK, '1')
  assert.equal([...first!.nodes].sort(), ['node-1', 'node-3', 'node-5'])
  assert.equal([...second!.nodes].sort(), ['node-2', 'node-4'])
})

test('says why each group moves, and that a former release is loaded cold', () => {
  const [step] = toEight(serving(SEVEN)).steps.filter(({ action }) => action === 'load')
  assert.is(step?.cause, 'it holds dg_7, and dg_8 takes its place: one generation at a time')
  const back = planUpdate(serving(EIGHT), { ...wishFor(SEVEN, EIGHT), proven: true })
  const [cold] = back.steps.filter(({ action }) => action === 'load')
  assert.is(cold?.cause, 'it holds dg_8, and dg_7 is loaded anew (cold): one generation at a time')
})

test('goes back by what has happened, in the reverse order', () => {
  const cases: [string, string[][]][] = [
    ['load index_0_b', [['load index_0_b']]],
    ['load index_1_b', [['load index_0_b', 'load index_1_b']]],
    ['switch gateway', [['switch gateway'], ['load index_0_b', 'load index_1_b']]],
    ['load index_0', [['load index_0'], ['switch gateway'], ['load index_0_b', 'load index_1_b']]],
  ]
  for (const [step, batches] of cases) {
    const found = batchesIn(goBack(upTo(step))).map((batch) => batch.sort())
    assert.equal(found, batches, step)
  }
})

test('first lets a gateway end what it has begun when its tasks route by two generations', () => {
  const fleet = upTo('switch gateway')
  const services = fleet.services.map((state) => {
    const [first, ...rest] = state.tasks
    return state.spec.kind === 'gateway'
      ? { ...state, tasks: [{ ...first!, generations: [SEVEN.generation] }, ...rest] }
      : state
  })
  assert.equal(batchesIn(toEight({ ...fleet, services })).slice(1)[0], ['switch gateway'])
  assert.equal(batchesIn(goBack({ ...fleet, services }))[0], ['switch gateway'])
})

test('leaves in place what gateways are about to route by that a dead run has begun to start', () => {
  const fleet = upTo('switch gateway')
  const former = findService(upTo('load index_1_b'), 'gateway')!.tasks
  const services = fleet.services.map((state) =>
    state.spec.kind === 'gateway' ? { ...state, tasks: former } : state,
  )
  assert.equal(batchesIn(goBack({ ...fleet, services }))[0], ['switch gateway'])
})

test('moves first the group of which no task answers', () => {
  const fleet = serving(SEVEN)
  const services = fleet.services.map((state) => {
    const tasks = state.tasks.map((task) => ({ ...task, state: 'failed', generations: [] }) as const)
    return state.spec.name === 'index_0' ? { ...state, tasks } : state
  })
  const loads = batchesIn(toEight({ ...fleet, services })).find((batch) => batch[0]?.startsWith('load'))
  assert.equal(loads, ['load index_0', 'load index_1_b'])
})

test('stops shards that only the failed generation has, and none where nobody knows which those are', () => {
  const wide = shapeWith(8, [0, 1, 2])
  const fleet = applyToModel(serving(SEVEN), planUpdate(serving(SEVEN), wishFor(wide, SEVEN)))
  const stopped = (clusters: readonly number[] | null) =>
    goBack(fleet, clusters).steps.filter(({ action }) => action === 'stop')
  assert.equal(
    stopped(SEVEN.clusters).map(({ target }) => target),
    ['index_2_b', 'index_2'],
  )
  assert.equal(stopped(null), [])
})

test('stops the second group of a fleet whose replicas are in one service again', () => {
  const plan = planUpdate(serving(SEVEN), wishFor(SEVEN, SEVEN, 'side-by-side'))
  const names = plan.steps.map(nameStep)
  assert.ok(names.indexOf('stop index_0_b') > names.indexOf('switch gateway'))
  const after = applyToModel(serving(SEVEN), plan)
  assert.equal(planUpdate(after, wishFor(SEVEN, SEVEN, 'side-by-side')).steps, [])
})

test('refuses a fleet in which a group has no node', () => {
  const nodes = EMPTY.nodes.map((node) => ({ ...node, reachable: ['node-1', 'node-3'].includes(node.name) }))
  assert.throws(
    () => planUpdate({ ...EMPTY, nodes }, wishFor(SEVEN, null)),
    (error: unknown) =>
      error instanceof LongshoreError && error.kind === 'remote' && /node-2, node-4/.test(error.message),
  )
})

const strategies = fc.constantFrom<Strategy>('side-by-side', 'replica-groups')
const clusters = fc.subarray(CLUSTERS, { minLength: 1 })

/** What a run has done that broke off before its release was on record. */
function begin(fleet: Fleet, wish: Wish, count: number): Fleet {
  const { steps } = planUpdate(fleet, wish)
  const end = steps.findIndex(({ action }) => action === 'commit')
  return steps.slice(0, Math.min(count, end)).reduce(applyStepToModel, fleet)
}

/** A fleet that serves one generation, about to serve another one, each by whichever strategy. */
const moves = fc.record({
  former: clusters.map((ids) => shapeWith(7, ids)),
  target: clusters.map((ids) => shapeWith(8, ids)),
  before: strategies,
  now: strategies,
})

test('leaves no shard unanswered that gateways ask for, on the way there', () => {
  fc.assert(
    fc.property(moves, ({ former, target, before, now }) => {
      const wish = wishFor(target, former, now)
      const fleet = serving(former, before)
      const after = applyWatched(fleet, planUpdate(fleet, wish), [former, target])
      assert.equal(findServed(after), target.generation)
      for (const state of after.services) assert.is(findServiceProblem(state), undefined)
      assert.equal(planUpdate(after, { ...wish, released: target.generation }).steps, [])
    }),
  )
})

test('leaves no shard unanswered on the way back, wherever it broke off, or on the way on', () => {
  fc.assert(
    fc.property(moves, fc.nat(30), ({ former, target, before, now }, count) => {
      const wish = wishFor(target, former, now)
      const fleet = serving(former, before)
      const begun = begin(fleet, wish, count)
      const broken = { former: former.generation, target: target.generation, clusters: former.clusters }
      const back = applyWatched(begun, planReturn(begun, broken), [former, target])
      assert.equal(findServed(back), former.generation)
      assert.equal(planReturn(back, broken).steps, [])
      const on = applyWatched(begun, planUpdate(begun, wish), [former, target])
      assert.equal(findServed(on), target.generation)
    }),
    { numRuns: 300 },
  )
})

test('has no node hold two generations of a shard, on the way there and back', () => {
  fc.assert(
    fc.property(moves, fc.nat(30), ({ former, target }, count) => {
      const fleet = serving(former)
      const wish = wishFor(target, former)
      const begun = planUpdate(fleet, wish).steps.slice(0, count)
      const broken = { former: former.generation, target: target.generation, clusters: former.clusters }
      const watch = (before: Fleet, step: Step) => {
        const after = applyStepToModel(before, step)
        for (const [place, names] of listResidents(after)) assert.ok(names.size <= 1, place)
        return after
      }
      const state = begun.reduce(watch, fleet)
      planReturn(state, broken).steps.reduce(watch, state)
    }),
  )
})

test('names a service for each group', () => {
  assert.equal([indexServiceName(3), indexServiceName(3, 'b')], ['index_3', 'index_3_b'])
  assert.equal(refTo(7), SEVEN.generation)
})

test.run()
