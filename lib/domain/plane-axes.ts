import type { Point } from './principal-plane.ts'

/**
 * Places further vectors on the plane of {@link projectOnPlane}, given the rows [n, dimensions] that it was made of and their
 * points. A principal axis is the sum of the centred rows, each times where it lies on the axis, brought to length 1.
 */
export function createPlacement(
  rows: Float32Array,
  points: readonly Point[],
  dimensions: number,
): (vector: Float32Array) => Point {
  const mean = new Float64Array(dimensions)
  for (let at = 0; at < rows.length; at++) mean[at % dimensions]! += rows[at]! / points.length
  const axisOf = (side: 0 | 1) => {
    const axis = new Float64Array(dimensions)
    for (let at = 0; at < rows.length; at++) {
      const column = at % dimensions
      axis[column]! += points[Math.floor(at / dimensions)]![side] * (rows[at]! - mean[column]!)
    }
    const length = Math.hypot(...axis)
    return length === 0 ? axis : axis.map((value) => value / length)
  }
  const [x, y] = [axisOf(0), axisOf(1)]
  return (vector) => {
    const along = (axis: Float64Array) =>
      axis.reduce((sum, value, column) => sum + value * (vector[column]! - mean[column]!), 0)
    return [along(x), along(y)]
  }
}
