import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ratesAt, UNLIMITED } from '../../lib/domain/delivery-rates.ts'
import type { FleetNode } from '../../lib/domain/fleet.ts'
import { planDelivery } from '../../lib/domain/plan-deliver.ts'
import type { RoutePolicy } from '../../lib/domain/route.ts'
import { refTo, shapeWith } from '../support/model-fleet.ts'

const AUTO: RoutePolicy = { via: 'auto', bases: [], rates: UNLIMITED }

function nodeWith(name: string, held: number[] = []): FleetNode {
  return { name, reachable: true, freeBytes: 1e9, memoryBytes: 1e9, generations: held.map(refTo) }
}

function planFor(nodes: readonly FleetNode[], policy: Partial<RoutePolicy> = {}) {
  return planDelivery(nodes, { ...shapeWith(8, [0]), bytes: 900 }, { ...AUTO, ...policy })
}

test('takes relays where several nodes lack it, which share one copy from here', () => {
  const steps = planFor([nodeWith('n1'), nodeWith('n2'), nodeWith('n3'), nodeWith('n4', [8])])
  assert.equal(
    steps.map(({ route, sent }) => [route, sent]),
    Array.from({ length: 3 }, () => [{ via: 'relay' }, 300]),
  )
  assert.match(steps[0]!.cause, 'n1 does not hold it: by relay, as 3 nodes lack it')
})

test('sends to a single node directly, and to all of them where the profile says so', () => {
  assert.match(planFor([nodeWith('n1')])[0]!.cause, /: directly, as no other node lacks it$/)
  const steps = planFor([nodeWith('n1'), nodeWith('n2', [7])], { via: 'direct', bases: [refTo(7)] })
  assert.equal(
    steps.map(({ route, sent }) => [route, sent]),
    Array.from({ length: 2 }, () => [{ via: 'direct' }, 900]),
  )
})

test('goes on by relay where a single node has pieces of it', () => {
  const [step] = planFor([{ ...nodeWith('n1'), inPieces: ['dg_8'] }])
  assert.equal(step?.route, { via: 'relay' })
  assert.match(step!.cause, 'as it has pieces of it')
  assert.equal(planFor([{ ...nodeWith('n1'), inPieces: ['dg_7'] }])[0]?.route, { via: 'direct' })
})

test('sends what differs from the newest generation that both sides hold', () => {
  const bases = [refTo(5), refTo(7), { name: 'dg_6', digest: 'sha256:of another content' }]
  const steps = planFor([nodeWith('n1', [5, 6, 7]), nodeWith('n2', [5, 6]), nodeWith('n3', [6])], { bases })
  assert.equal(
    steps.map(({ route }) => route?.base?.name),
    ['dg_7', 'dg_5', undefined],
  )
})

test('takes no generation of the same name for a base', () => {
  const namesake = { name: 'dg_8', digest: 'sha256:former' }
  const holder = { ...nodeWith('n1'), generations: [namesake] }
  assert.equal(planFor([holder], { bases: [namesake] })[0]!.route, { via: 'direct' })
})

test('estimates the time by the narrower of the limits, and not without one', () => {
  const nodes = [nodeWith('n1'), nodeWith('n2')]
  assert.is(planFor(nodes)[0]!.estimatedMs, undefined)
  assert.is(planFor(nodes, { rates: { perNode: 90, total: 900 } })[0]!.estimatedMs, 10_000)
  assert.is(planFor(nodes, { rates: { perNode: 900, total: 9 } })[0]!.estimatedMs, 100_000)
})

test('estimates the time by what former deliveries took, each kind for itself, and says which', () => {
  const at = '2026-11-20T03:00:00.000Z'
  const measured = {
    n1: { whole: { bytesPerSecond: 90, at }, differences: { bytesPerSecond: 9000, at: 'another day' } },
    n2: { whole: { bytesPerSecond: 45, at } },
  }
  const estimate = (names: string[], policy: Partial<RoutePolicy> = {}, held: number[] = []) => {
    const [step] = planFor(
      names.map((name) => nodeWith(name, held)),
      { measured, ...policy },
    )
    return [step!.estimatedMs, step!.estimatedFrom]
  }
  assert.equal(estimate(['n1']), [10_000, at])
  assert.equal(estimate(['n1', 'n2']), [20_000, at])
  assert.equal(estimate(['n1', 'new']), [20_000, at], 'a node that is new counts as the slowest one')
  assert.equal(estimate(['n1'], { bases: [refTo(7)] }, [7]), [100, 'another day'])
  assert.equal(estimate(['n1'], { rates: { perNode: 9, total: null } }), [100_000, 'limits'])
  assert.equal(estimate(['n1'], { measured: {} }), [undefined, undefined])
})

test('changes limits by night, also past midnight, and keeps those of the day that night leaves out', () => {
  const limits = { perNode: 5, total: 20, night: { from: '22:00', to: '06:00', total: 40 } }
  const total = (hours: number, minutes = 0) => ratesAt(limits, 60 * hours + minutes).total
  assert.equal([total(21, 59), total(22), total(0), total(5, 59), total(6)], [20, 40, 40, 40, 20])
  assert.is(ratesAt(limits, 0).perNode, 5)
  const noon = { night: { from: '11:00', to: '13:00', perNode: 7 } }
  assert.equal(
    [10, 12, 13].map((hour) => ratesAt(noon, 60 * hour).perNode),
    [null, 7, null],
  )
})

test.run()
