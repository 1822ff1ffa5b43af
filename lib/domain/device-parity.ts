import { innerProduct, scoreOf } from './similarity.ts'

/** The least cosine between two embeddings of the same content, of all contents; both [contents, dimensions], row-major. */
export function findLeastCosine(a: Float32Array, b: Float32Array, dimensions: number): number {
  let least = 1
  for (let at = 0; at < a.length; at += dimensions) {
    const [one, other] = [a, b].map((rows) => rows.subarray(at, at + dimensions)) as [
      Float32Array,
      Float32Array,
    ]
    const squares = { squaredA: innerProduct(one, one), squaredB: innerProduct(other, other) }
    least = Math.min(least, scoreOf('cosine', { product: innerProduct(one, other), ...squares }))
  }
  return least
}
