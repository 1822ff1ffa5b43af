import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { alignPoints } from '../../lib/domain/align-points.ts'
import { type Point, projectOnPlane } from '../../lib/domain/principal-plane.ts'

const near = (actual: number, expected: number, off = 1e-6) =>
  assert.ok(Math.abs(actual - expected) <= off, `${actual} is not ${expected}`)

/** Points of an ellipse in the plane of two orthonormal directions, around a middle. */
function makeEllipse(long: number, short: number, [u, v]: readonly (readonly number[])[], middle: number) {
  const turns = Array.from({ length: 24 }, (_, index) => (2 * Math.PI * index) / 24)
  return Float32Array.from(
    turns.flatMap((turn) =>
      u!.map((value, at) => middle + long * Math.cos(turn) * value + short * Math.sin(turn) * v![at]!),
    ),
  )
}

test('finds the plane of an ellipse in space, its long axis first, and shows all of its variance', () => {
  const directions = [
    [0.6, 0.8, 0, 0],
    [0, 0, -0.8, 0.6],
  ]
  const { points, explained } = projectOnPlane(makeEllipse(3, 1, directions, 7), 4)
  near(explained, 1)
  // Both ends of an axis are as far out: either may be where it points.
  const [right, up] = [Math.sign(points[0]![0]), Math.sign(points[6]![1])]
  for (const [index, [x, y]] of points.entries()) {
    const turn = (2 * Math.PI * index) / 24
    near(right * x, 3 * Math.cos(turn), 1e-5)
    near(up * y, Math.sin(turn), 1e-5)
  }
})

test('points to the row that is farthest out on each axis', () => {
  const { points } = projectOnPlane(Float32Array.of(-9, 0, 1, 0, 4, -3, 4, 1, 0, 2), 2)
  for (const axis of [0, 1] as const) {
    const values = points.map((point) => point[axis])
    assert.ok(Math.max(...values) > -Math.min(...values), values.join())
  }
})

test('shows the share of the two largest variances where there are more', () => {
  const axes = [3, 2, 1].flatMap((length, axis) =>
    [1, -1].map((sign) => [0, 1, 2].map((at) => (at === axis ? sign * length : 0))),
  )
  near(projectOnPlane(Float32Array.from(axes.flat()), 3).explained, 13 / 14)
})

test('keeps no pair of points farther apart than it is, for any rows, and is the same twice', () => {
  const value = fc.float({ min: -100, max: 100, noNaN: true })
  fc.assert(
    fc.property(fc.array(fc.array(value, { minLength: 3, maxLength: 3 }), { maxLength: 12 }), (rows) => {
      const flat = Float32Array.from(rows.flat())
      const { points, explained } = projectOnPlane(flat, 3)
      assert.ok(explained >= 0 && explained <= 1 + 1e-9, `${explained}`)
      assert.equal(projectOnPlane(flat, 3).points, points)
      for (const [one, [x, y]] of points.entries()) {
        for (const [other, [u, v]] of points.entries()) {
          const far = Math.hypot(...rows[one]!.map((number, at) => number - rows[other]![at]!))
          assert.ok(Math.hypot(x - u, y - v) <= far + 1e-3, `${one} and ${other}`)
        }
      }
    }),
    { numRuns: 60 },
  )
})

test('has a plane of items that are all the same, and of none', () => {
  assert.equal(projectOnPlane(Float32Array.of(1, 2, 1, 2), 2), {
    points: [
      [0, 0],
      [0, 0],
    ],
    explained: 1,
  })
  assert.equal(projectOnPlane(new Float32Array(0), 5).points, [])
})

const square: Point[] = [
  [2, 0],
  [0, 1],
  [-2, 0],
  [0, -1.5],
]

for (const mirror of [1, -1]) {
  test(`turns and scales points back onto what they came from${mirror < 0 ? ', mirrored ones too' : ''}`, () => {
    const [cos, sin] = [Math.cos(2.2), Math.sin(2.2)]
    const moved = square.map(([x, y]): Point => {
      const flipped = mirror * y
      return [5 * (cos * x - sin * flipped), 5 * (sin * x + cos * flipped)]
    })
    for (const [index, [x, y]] of alignPoints(moved, square).entries()) {
      near(x, square[index]![0])
      near(y, square[index]![1])
    }
  })
}

test('leaves points that are all in the middle there', () => {
  assert.equal(alignPoints([[0, 0]], [[1, 1]]), [[0, 0]])
})

test.run()
