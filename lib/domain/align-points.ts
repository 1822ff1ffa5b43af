import type { Point } from './principal-plane.ts'

/**
 * `points` turned and mirrored so that they lie as near as possible to `target`, point by point, and scaled to the same size;
 * both are around the origin (orthogonal Procrustes in the plane, in closed form).
 */
export function alignPoints(points: readonly Point[], target: readonly Point[]): Point[] {
  const mirrored = points.map(([x, y]): Point => [x, -y])
  const [plain, other] = [fitTurn(points, target), fitTurn(mirrored, target)]
  return plain.fit >= other.fit ? turn(points, plain) : turn(mirrored, other)
}

type Turn = {
  /** How well it fits; larger is better. */
  readonly fit: number
  readonly cos: number
  readonly sin: number
}

/** The turn by which the inner products of `points` and `target` become largest, times the scale between their sizes. */
function fitTurn(points: readonly Point[], target: readonly Point[]): Turn {
  let [along, across] = [0, 0]
  for (const [index, [x, y]] of points.entries()) {
    const [u, v] = target[index]!
    along += x * u + y * v
    across += x * v - y * u
  }
  const fit = Math.hypot(along, across)
  const scale = fit === 0 ? 0 : measureSize(target) / measureSize(points) / fit
  return { fit, cos: along * scale, sin: across * scale }
}

function measureSize(points: readonly Point[]): number {
  return Math.sqrt(points.reduce((sum, [x, y]) => sum + x * x + y * y, 0))
}

function turn(points: readonly Point[], { cos, sin }: Turn): Point[] {
  return points.map(([x, y]): Point => [cos * x - sin * y, sin * x + cos * y])
}
