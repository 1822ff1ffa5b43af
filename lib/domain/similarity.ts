import type { Metric, Model } from './model.ts'

type Vector = ArrayLike<number>

export function innerProduct(a: Vector, b: Vector): number {
  let sum = 0
  for (let index = 0; index < a.length; index++) sum += a[index]! * b[index]!
  return sum
}

export type Products = {
  /** Inner product of the two vectors, and of each with itself. */
  readonly product: number
  readonly squaredA: number
  readonly squaredB: number
}

/** The score of two vectors under a metric, from their inner products; higher is better, l2 is the negated square. */
export function scoreOf(metric: Metric, { product, squaredA, squaredB }: Products): number {
  if (metric === 'dot') return product
  if (metric === 'l2') return 2 * product - squaredA - squaredB
  const norms = Math.sqrt(squaredA * squaredB)
  return norms === 0 ? 0 : product / norms
}

/** How items of a model are compared: the cosine of vectors of unit length is their plain inner product. */
export function scoringOf(model: Pick<Model, 'metric' | 'normalized'>): Metric {
  return model.metric === 'cosine' && model.normalized ? 'dot' : model.metric
}
