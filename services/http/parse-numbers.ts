import { innerProduct } from '../../lib/domain/similarity.ts'
import { badRequest, HttpError } from './http-error.ts'

export const MOST_K = 1000
/** Hits that one request may ask for: its queries times k. */
export const MOST_HITS = 20_000

/** Distances of such vectors are still float32 values. */
const LONGEST = 3e18

/** The number of hits wanted. Raises HttpError 400. */
export function parseK(k: unknown): number {
  if (!Number.isInteger(k) || (k as number) < 1 || (k as number) > MOST_K) {
    throw badRequest(`k: expected a whole number from 1 to ${MOST_K}`)
  }
  return k as number
}

/** One vector given as a list of numbers. Raises HttpError 400 naming `where`. */
export function parseVector(row: unknown, dimensions: number, where: string): Float32Array {
  if (!Array.isArray(row)) throw badRequest(`${where}: expected a list of ${dimensions} numbers`)
  if (row.length !== dimensions) {
    throw wrongDimensions(`${where}: has ${row.length} dimensions, expected ${dimensions}`)
  }
  const wrong = row.findIndex((value) => typeof value !== 'number' || !Number.isFinite(Math.fround(value)))
  if (wrong >= 0) throw badRequest(`${where}[${wrong}]: expected a finite number`)
  const vector = Float32Array.from(row as number[])
  checkLengths(vector, dimensions, where)
  return vector
}

/**
 * Raises HttpError 400 when a row of `vectors` [n, dimensions] is so long that its scores might be
 * infinite.
 */
export function checkLengths(vectors: Float32Array, dimensions: number, where: string): void {
  for (let start = 0; start < vectors.length; start += dimensions) {
    const row = vectors.subarray(start, start + dimensions)
    if (innerProduct(row, row) > LONGEST ** 2) {
      throw badRequest(`${where}: expected a vector shorter than ${LONGEST}`)
    }
  }
}

/** The error of a vector that is no vector of the model. */
export function wrongDimensions(message: string): HttpError {
  return new HttpError(400, 'wrong_dimensions', message)
}
