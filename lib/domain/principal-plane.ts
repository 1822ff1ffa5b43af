import { createRandom } from './random.ts'

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
 * The projection of `rows` [n, dimensions] on their first two principal axes, by power iteration with deflation (Hotelling
 * 1933) over the products of every two rows, of which there may be fewer than dimensions; the same for the same rows. An axis
 * points to the row that is farthest out on it.
 */
export function projectOnPlane(rows: Float32Array, dimensions: number): Plane {
  const products = multiplyAll(centre(rows, dimensions))
  const total = products.reduce((sum, row, at) => sum + row[at]!, 0)
  const first = findAxis(products, total)
  const second = findAxis(products, total, first)
  const [x, y] = [projectOn(first), projectOn(second)]
  const shown = dot(x, x) + dot(y, y)
  return {
    points: products.map((_, row): Point => [x[row]!, y[row]!]),
    explained: total === 0 ? 1 : Math.min(1, shown / total),
  }
}

function centre(rows: Float32Array, dimensions: number): Float64Array[] {
  const count = rows.length / dimensions
  const mean = new Float64Array(dimensions)
  for (let at = 0; at < rows.length; at++) mean[at % dimensions]! += rows[at]! / count
  return Array.from({ length: count }, (_, row) =>
    Float64Array.from(mean, (value, column) => rows[row * dimensions + column]! - value),
  )
}

/** Inner products of every two rows. */
function multiplyAll(rows: readonly Float64Array[]): Float64Array[] {
  const products = rows.map(() => new Float64Array(rows.length))
  for (const [one, row] of rows.entries()) {
    for (let other = 0; other <= one; other++) {
      const product = dot(row, rows[other]!)
      products[one]![other] = product
      products[other]![one] = product
    }
  }
  return products
}

/** An axis as a sum of rows. */
type Axis = {
  readonly weights: Float64Array
  /** Inner product of each row with that sum. */
  readonly image: Float64Array
  /** Its squared length. */
  readonly square: number
}

/** The direction of the largest variance that is orthogonal to `former`; of length 0 where there is none left. */
function findAxis(products: readonly Float64Array[], total: number, former?: Axis): Axis {
  const random = createRandom(products.length)
  const begin = Float64Array.from(products, () => random() - 0.5)
  let weights = normalize(remove(begin, former))
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const turned = normalize(remove(multiply(products, weights), former), total * ROUNDING)
    const isFound = dot(turned, weights) > 1 - ENOUGH
    weights = turned
    if (isFound) break
  }
  const image = multiply(products, weights)
  return { weights, image, square: dot(weights, image) }
}

/** Where each row lies on an axis. */
function projectOn({ image, square }: Axis): Float64Array {
  const largest = image.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0)
  const length = Math.sqrt(Math.max(0, square))
  return image.map((value) => (length === 0 ? 0 : (Math.sign(largest) * value) / length))
}

function multiply(products: readonly Float64Array[], weights: Float64Array): Float64Array {
  return Float64Array.from(products, (row) => dot(row, weights))
}

/** Takes the part of an axis out of a sum of rows. */
function remove(weights: Float64Array, axis: Axis | undefined): Float64Array {
  if (!axis || axis.square <= 0) return weights
  const factor = dot(weights, axis.image) / axis.square
  return weights.map((value, at) => value - factor * axis.weights[at]!)
}

/** A vector of length 1 in the same direction; zeros for one no longer than `least`. */
function normalize(vector: Float64Array, least = 0): Float64Array {
  const norm = Math.sqrt(dot(vector, vector))
  return norm <= least ? vector.fill(0) : vector.map((value) => value / norm)
}

/** An inner product for one kind of arrays alone: with several kinds it takes some times as long. */
function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!
  return sum
}
