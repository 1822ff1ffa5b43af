import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { measureDrift } from '../../lib/domain/rank-drift.ts'

const near = (actual: number | undefined, expected: number, off = 1e-9) =>
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < off, `${actual} is not ${expected}`)

test('finds no drift between equal answers, and nothing in common between strangers', () => {
  const list = ['a', 'b', 'c', 'd']
  const same = measureDrift(list, list, 10)
  near(same.rbo, 1)
  assert.equal([same.overlap, same.tau], [1, 1])
  assert.equal(measureDrift(['a', 'b'], ['x', 'y'], 10), { overlap: 0, rbo: 0, tau: undefined })
  assert.equal(measureDrift([], [], 10), { overlap: 1, rbo: 1, tau: undefined })
  assert.is(measureDrift([], ['a'], 10).rbo, 0)
})

test('turns the order round', () => {
  const drift = measureDrift(['a', 'b', 'c'], ['c', 'b', 'a'], 10)
  assert.equal([drift.overlap, drift.tau], [1, -1])
  // By hand: of the first one, two and three, 0, 1 and 3 are in both.
  near(drift.rbo, (0.1 / 0.9) * (0 + (1 / 2) * 0.81 + 1 * 0.729) + 1 * 0.729)
})

test('weighs a change at the top more than one at the end', () => {
  const list = ['a', 'b', 'c', 'd', 'e']
  const top = measureDrift(list, ['b', 'a', 'c', 'd', 'e'], 10)
  const end = measureDrift(list, ['a', 'b', 'c', 'e', 'd'], 10)
  assert.is(top.tau, end.tau)
  assert.ok(top.rbo < end.rbo)
})

test('extrapolates lists of different lengths, and looks at the first k alone', () => {
  // Equation 30 by hand, s = 1, l = 2: agreements 1, 1; X_s = 1, X_l = 1.
  near(measureDrift(['a'], ['a', 'b'], 10).rbo, (0.1 / 0.9) * (0.9 + (1 / 2 + 1 / 2) * 0.81) + (0 + 1) * 0.81)
  assert.is(measureDrift(['a', 'b'], ['a', 'c'], 1).overlap, 1)
})

test.run()
