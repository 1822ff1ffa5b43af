import { createRandom } from './random.ts'
import { innerProduct } from './similarity.ts'

export type Point = readonly [x: number, y: number]

/** Rows as points of the plane in which they differ most. */
export type Plane = {
  readonly points: readonly Point[]
  /** Share of the variance that the plane shows. */
  readonly explained: number
}

const MOST_ROUNDS = 200
/** So little an axis turns in a round once it is found. */
const ENOUGH = 1e-12
/** So small a share of the variance is nothing but rounding. */
const ROUNDING = 1e-12

/**
 * The projection of `rows` [n, dimensions] on their first two principal axes, by power iteration with deflation
 * (Hotelling 1933); the same for the same rows. An axis points where its largest number is positive.
 */
export function projectOnPlane(rows: Float32Array, dimensions: number): Plane {
  const centred = centre(rows, dimensions)
  const total = centred.reduce((sum, row) => sum + innerProduct(row, row), 0)
  const first = findAxis(centred, [], { dimensions, total })
  const axes = [first, findAxis(centred, [first], { dimensions, total })]
  const points = centred.map((row): Point => [innerProduct(row, axes[0]!), innerProduct(row, axes[1]!)])
  const shown = points.reduce((sum, [x, y]) => sum + x * x + y * y, 0)
  return { points, explained: total === 0 ? 1 : shown / total }
}

function centre(rows: Float32Array, dimensions: number): Float64Array[] {
  const count = rows.length / dimensions
  const mean = new Float64Array(dimensions)
  for (let at = 0; at < rows.length; at++) mean[at % dimensions]! += rows[at]! / count
  return Array.from({ length: count }, (_, row) =>
    Float64Array.from(mean, (value, column) => rows[row * dimensions + column]! - value),
  )
}

/** The direction of the largest variance that is orthogonal to `others`; zeros where there is none left. */
function findAxis(
  rows: readonly Float64Array[],
  others: readonly Float64Array[],
  { dimensions, total }: { readonly dimensions: number; readonly total: number },
): Float64Array {
  const random = createRandom(dimensions + others.length)
  let axis = normalize(
    removeAll(
      Float64Array.from({ length: dimensions }, () => random() - 0.5),
      others,
    ),
  )
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = new Float64Array(dimensions)
    for (const row of rows) addScaled(next, row, innerProduct(row, axis))
    const turned = normalize(removeAll(next, others), total * ROUNDING)
    const isFound = innerProduct(turned, axis) > 1 - ENOUGH
    axis = turned
    if (isFound) break
  }
  const largest = axis.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0)
  return largest < 0 ? axis.map((value) => -value) : axis
}

function removeAll(vector: Float64Array, others: readonly Float64Array[]): Float64Array {
  for (const other of others) addScaled(vector, other, -innerProduct(vector, other))
  return vector
}

function addScaled(target: Float64Array, vector: Float64Array, factor: number): void {
  for (let at = 0; at < target.length; at++) target[at]! += factor * vector[at]!
}

/** A vector of length 1 in the same direction; zeros for one no longer than `least`. */
function normalize(vector: Float64Array, least = 0): Float64Array {
  const norm = Math.sqrt(innerProduct(vector, vector))
  return norm <= least ? vector.fill(0) : vector.map((value) => value / norm)
}
