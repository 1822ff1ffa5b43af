/** How often values lie where: `shares` of as many equal parts between `from` and `to`, together 1. */
export type Histogram = { readonly from: number; readonly to: number; readonly shares: readonly number[] }

export type Bins = { readonly from: number; readonly to: number; readonly bins: number }

/** The histogram of values; those outside count for the first or the last part. All zeros without values. */
export function makeHistogram(values: Float32Array, { from, to, bins }: Bins): Histogram {
  const counts = new Array<number>(bins).fill(0)
  const width = (to - from) / bins
  for (const value of values) {
    const bin = width === 0 ? 0 : Math.floor((value - from) / width)
    counts[Math.min(bins - 1, Math.max(0, bin))]!++
  }
  return { from, to, shares: counts.map((count) => count / Math.max(1, values.length)) }
}

/** The least and the largest of some values; both 0 without any. */
export function findRange(values: Float32Array): { readonly from: number; readonly to: number } {
  if (values.length === 0) return { from: 0, to: 0 }
  return values.reduce(({ from, to }, value) => ({ from: Math.min(from, value), to: Math.max(to, value) }), {
    from: Number.POSITIVE_INFINITY,
    to: Number.NEGATIVE_INFINITY,
  })
}
