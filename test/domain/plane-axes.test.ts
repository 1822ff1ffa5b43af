import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createPlacement } from '../../lib/domain/plane-axes.ts'
import { projectOnPlane } from '../../lib/domain/principal-plane.ts'
import { createRandom } from '../../lib/domain/random.ts'

const DIMENSIONS = 12
const random = createRandom(7)
const rows = Float32Array.from(
  { length: 40 * DIMENSIONS },
  (_, at) => (random() - 0.5) / (1 + (at % DIMENSIONS)),
)
const { points } = projectOnPlane(rows, DIMENSIONS)
const rowOf = (at: number) => rows.subarray(at * DIMENSIONS, (at + 1) * DIMENSIONS)

test('puts a row where the plane has it, and what lies between two rows between them', () => {
  const place = createPlacement(rows, points, DIMENSIONS)
  for (const [at, [x, y]] of points.entries()) {
    const [a, b] = place(rowOf(at))
    assert.ok(Math.hypot(a - x, b - y) < 1e-5, `${at}`)
  }
  const middle = rowOf(0).map((value, column) => (value + rowOf(1)[column]!) / 2)
  const [a] = place(middle)
  assert.ok(Math.abs(a - (points[0]![0] + points[1]![0]) / 2) < 1e-5)
})

test('puts everything in the middle where rows do not differ', () => {
  const same = new Float32Array(3 * DIMENSIONS).fill(1)
  const place = createPlacement(same, projectOnPlane(same, DIMENSIONS).points, DIMENSIONS)
  assert.equal(place(rowOf(3)), [0, 0])
})

test.run()
