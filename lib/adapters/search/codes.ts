/** Codes go from -127 to 127: -128 has no opposite. */
export const LARGEST_CODE = 127

/** The scale that makes the largest number of `vectors` the largest code; 1 where all are zero. */
export function scaleFor(vectors: Float32Array): number {
  let largest = 0
  for (const value of vectors) largest = Math.max(largest, Math.abs(value))
  return largest === 0 ? 1 : LARGEST_CODE / largest
}

/** Writes every number times `scale`, rounded and clamped to ±127, to `target`. */
export function quantise(vectors: Float32Array, scale: number, target: Int8Array): void {
  for (let at = 0; at < vectors.length; at++) {
    const value = Math.max(-LARGEST_CODE, Math.min(LARGEST_CODE, vectors[at]! * scale))
    // Rounds like Math.round, in a quarter of the time: cutting a positive number off is rounding it down.
    target[at] = ((value + 128.5) | 0) - 128
  }
}
