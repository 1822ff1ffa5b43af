import type { Pooling } from './output.ts'

/** An output of a run: row-major, [batch, dimensions] or [batch, tokens, dimensions]. */
export type Hidden = { readonly values: Float32Array; readonly shape: readonly number[] }

export type PoolOptions = {
  readonly pooling: Pooling
  /** How many tokens of each text are its own; the others fill up the batch. */
  readonly lengths: readonly number[]
  readonly isNormalized: boolean
}

/**
 * Embeddings of unit length where asked, row-major [batch, dimensions], each with sums in double precision; a row that is not finite or
 * cannot be normalised holds NaN.
 */
export function pool(
  { values, shape }: Hidden,
  { pooling, lengths, isNormalized }: PoolOptions,
): Float32Array {
  const [batch = 0] = shape
  const dimensions = shape.at(-1) ?? 0
  const tokens = shape.length === 3 ? shape[1]! : 1
  const rows = new Float32Array(batch * dimensions)
  const sums = new Float64Array(dimensions)
  for (let row = 0; row < batch; row++) {
    const used = pooling === 'mean' ? Math.min(lengths[row] ?? tokens, tokens) : 1
    sums.fill(0)
    for (let token = 0; token < used; token++) {
      const start = (row * tokens + token) * dimensions
      for (let column = 0; column < dimensions; column++) sums[column]! += values[start + column]!
    }
    const squared = sums.reduce((total, value) => total + value * value, 0)
    // 0 / 0 is what a row without a direction has to be.
    const divisor = isNormalized ? Math.sqrt(squared) : used
    for (let column = 0; column < dimensions; column++)
      rows[row * dimensions + column] = sums[column]! / divisor
  }
  return rows
}
