import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { crossBridge } from '../../lib/domain/bridge.ts'
import { findOrthogonalFactor, multiplyTransposed, solvePositive } from '../../lib/domain/bridge-algebra.ts'
import { fitBridge, measureKept, partPairs } from '../../lib/domain/bridge-fit.ts'
import { createRandom } from '../../lib/domain/random.ts'
import { makeModel } from '../support/generation.ts'

const SIZE = 6

test('finds the orthogonal matrix that a matrix was made of, also where some directions are missing', () => {
  const { values: u } = findOrthogonalFactor(matrix(SIZE, SIZE, 3))
  assert.ok(isOrthogonal(u))
  const factor = findOrthogonalFactor({ rows: SIZE, columns: SIZE, values: scaleColumns(u) })
  assert.ok(isNear(factor.values, u, 1e-6))
  const singular = { rows: SIZE, columns: SIZE, values: new Float64Array(SIZE * SIZE) }
  singular.values[3] = 2
  const completed = findOrthogonalFactor(singular)
  assert.ok(isOrthogonal(completed.values))
  assert.ok(Math.abs(completed.values[3]! - 1) < 1e-6)
})

test('solves for a positive definite matrix, and refuses any other', () => {
  const a = matrix(20, SIZE, 5)
  const squares = multiplyTransposed(a, a)
  const wanted = matrix(SIZE, 2, 6)
  // The squares are symmetric: A'B is AB.
  const { values } = solvePositive(squares, multiplyTransposed(squares, wanted))
  assert.ok(isNear(values, wanted.values, 1e-9))
  assert.throws(
    () => solvePositive({ ...squares, values: squares.values.map((value) => -value) }, wanted),
    /positive/,
  )
})

test('chooses the orthogonal map between spaces that are turned, and a ridge where dimensions differ', () => {
  const model = makeModel(SIZE)
  const { values: u } = findOrthogonalFactor(matrix(SIZE, SIZE, 3))
  const to = rowsOf(300, SIZE, 8)
  const from = crossBridge(u, to, { dimensions: SIZE, normalized: true })
  const [fit, choose] = [take({ from, to }, 0, 250), take({ from, to }, 250, 300)]
  const turned = fitBridge(fit, choose, model)
  assert.is(turned.kind, 'procrustes')
  assert.ok(isNear(crossBridge(turned.map, choose.from, model), choose.to, 1e-5))

  const wider = crossBridge(matrix(SIZE, 9, 4).values, to, { dimensions: 9, normalized: false })
  const pairs = { from: wider, to }
  const lifted = fitBridge(take(pairs, 0, 250, 9), take(pairs, 250, 300, 9), model)
  assert.is(lifted.kind, 'ridge')
  assert.ok(isNear(crossBridge(lifted.map, take(pairs, 250, 300, 9).from, model), choose.to, 1e-3))
})

test('judges by pairs that nothing was fitted to or chosen by', () => {
  const { fit, choose, judge } = partPairs(2_000)
  assert.equal([judge.length, choose.length, fit.length], [256, 256, 1_488])
  assert.is(new Set([...fit, ...choose, ...judge]).size, 2_000)
  assert.is(partPairs(3).judge.length, 0)
})

test('tells which share of what was wanted is found', () => {
  assert.is(
    measureKept(
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
      [
        ['b', 'x'],
        ['d', 'c'],
      ],
    ),
    0.75,
  )
})

test.run()

function matrix(rows: number, columns: number, seed: number) {
  const random = createRandom(seed)
  return { rows, columns, values: Float64Array.from({ length: rows * columns }, () => random() - 0.5) }
}

function rowsOf(count: number, dimensions: number, seed: number): Float32Array {
  const identity = new Float64Array(dimensions * dimensions)
  for (let at = 0; at < dimensions; at++) identity[at * dimensions + at] = 1
  return crossBridge(identity, matrix(count, dimensions, seed).values, { dimensions, normalized: true })
}

function take(
  { from, to }: { from: Float32Array; to: Float32Array },
  first: number,
  end: number,
  fromDimensions = SIZE,
) {
  return {
    from: from.subarray(first * fromDimensions, end * fromDimensions),
    to: to.subarray(first * SIZE, end * SIZE),
  }
}

/** UH with H = diag(1, 2, ...), whose polar factor is U. */
function scaleColumns(values: Float64Array): Float64Array {
  return values.map((value, at) => value * (1 + (at % SIZE)))
}

function isOrthogonal(values: Float64Array): boolean {
  const square = { rows: SIZE, columns: SIZE, values }
  const { values: products } = multiplyTransposed(square, square)
  return products.every((value, at) => Math.abs(value - (at % (SIZE + 1) === 0 ? 1 : 0)) < 1e-9)
}

function isNear(one: ArrayLike<number>, other: ArrayLike<number>, within: number): boolean {
  return (
    one.length === other.length &&
    Array.from(one).every((value, at) => Math.abs(value - other[at]!) <= within)
  )
}
