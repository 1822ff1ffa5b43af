import type { Model } from './model.ts'
import { innerProduct, scoreOf } from './similarity.ts'

/** Items under one model: `rows` [items, dimensions]. */
export type Sample = { readonly rows: Float32Array; readonly model: Model }

/** Scores of items with each other, row-major [items, items]; higher is better. */
export function scoreAll({ rows, model }: Sample): Float32Array {
  const { dimensions, metric } = model
  const count = rows.length / dimensions
  const vectors = Array.from({ length: count }, (_, row) =>
    rows.subarray(row * dimensions, (row + 1) * dimensions),
  )
  const squares = vectors.map((vector) => innerProduct(vector, vector))
  const scores = new Float32Array(count * count)
  for (let one = 0; one < count; one++) {
    for (let other = 0; other <= one; other++) {
      const product = innerProduct(vectors[one]!, vectors[other]!)
      const score = scoreOf(metric, { product, squaredA: squares[one]!, squaredB: squares[other]! })
      scores[one * count + other] = score
      scores[other * count + one] = score
    }
  }
  return scores
}

/** The scores of every two different items of `scores` [items, items], each pair once: those of items drawn at random. */
export function listPairScores(scores: Float32Array): Float32Array {
  const count = Math.sqrt(scores.length)
  const pairs = new Float32Array((count * (count - 1)) / 2)
  let at = 0
  for (let one = 1; one < count; one++) {
    pairs.set(scores.subarray(one * count, one * count + one), at)
    at += one
  }
  return pairs
}

/** The scores of `queries` [items, dimensions] with the rows of all items before the one that each stands for. */
export function scorePairs(queries: Float32Array, { rows, model }: Sample): Float32Array {
  const { dimensions, metric } = model
  const take = (from: Float32Array, row: number) => from.subarray(row * dimensions, (row + 1) * dimensions)
  const squareOf = (row: Float32Array) => innerProduct(row, row)
  const scores: number[] = []
  for (let one = 1; one < rows.length / dimensions; one++) {
    const query = take(queries, one)
    for (let other = 0; other < one; other++) {
      const row = take(rows, other)
      const squares = { squaredA: squareOf(query), squaredB: squareOf(row) }
      scores.push(scoreOf(metric, { product: innerProduct(query, row), ...squares }))
    }
  }
  return Float32Array.from(scores)
}

/** For each item the `k` best others by `scores` [items, items], best first; equal ones in the order of the items. */
export function findNeighbours(scores: Float32Array, k: number): number[][] {
  const count = Math.sqrt(scores.length)
  const others = Array.from({ length: count }, (_, item) => item)
  return others.map((item) => {
    const row = scores.subarray(item * count, (item + 1) * count)
    return others
      .filter((other) => other !== item)
      .sort((a, b) => row[b]! - row[a]! || a - b)
      .slice(0, k)
  })
}
