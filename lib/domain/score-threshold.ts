/** A score from which on an answer counts as a match, and how it came about. */
export type ScoreThreshold = {
  readonly score: number
  /** Share of items drawn at random that score at least this with a query: what a match means, whatever the model. */
  readonly falseMatches: number
}

/**
 * The threshold of another model that lets through as many wrong matches as `score` did under the former one: the same
 * quantile of the scores of queries with items drawn at random (quantile matching). `before` and `after` are those scores
 * under either model. Raises RangeError without scores.
 */
export function recalibrate(score: number, before: Float32Array, after: Float32Array): ScoreThreshold {
  if (before.length === 0 || after.length === 0) throw new RangeError('expected scores of either model')
  const falseMatches = before.reduce((count, value) => count + Number(value >= score), 0) / before.length
  const sorted = after.toSorted()
  const rank = Math.floor((1 - falseMatches) * sorted.length)
  // No score was as high: as far above all others as it was before, in units of their spread.
  if (rank >= sorted.length) return { score: extrapolate(score, before, sorted), falseMatches }
  return { score: sorted[rank]!, falseMatches }
}

function extrapolate(score: number, before: Float32Array, after: Float32Array): number {
  const [from, to] = [describe(before), describe(after)]
  return from.spread === 0 ? to.most : to.most + ((score - from.most) * to.spread) / from.spread
}

function describe(scores: Float32Array): { most: number; spread: number } {
  const mean = scores.reduce((sum, value) => sum + value, 0) / scores.length
  const variance = scores.reduce((sum, value) => sum + (value - mean) ** 2, 0) / scores.length
  return {
    most: scores.reduce((most, value) => Math.max(most, value), -Infinity),
    spread: Math.sqrt(variance),
  }
}
