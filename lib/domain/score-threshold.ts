import type { Judgements } from './rank-quality.ts'

/** A score from which on an answer counts as a match, and how it came about. */
export type ScoreThreshold = {
  readonly score: number
  /** Share of items drawn at random that score at least this with a query: what a match means, whatever the model. */
  readonly falseMatches: number
}

/** A threshold of a former model, and that of another one under which a match means the same. */
export type MovedThreshold = { readonly before: ScoreThreshold; readonly after: ScoreThreshold }

/**
 * The threshold of another model that lets through as many wrong matches as `score` did under the former one: the same
 * quantile of the scores of queries with items drawn at random (quantile matching); the next score above where several
 * are equal. `before` and `after` are those scores under either model. Raises RangeError without scores.
 */
export function recalibrate(score: number, before: Float32Array, after: Float32Array): ScoreThreshold {
  if (before.length === 0 || after.length === 0) throw new RangeError('expected scores of either model')
  const falseMatches = measureShareFrom(score, before)
  const sorted = after.toSorted()
  let rank = Math.floor((1 - falseMatches) * sorted.length)
  while (rank > 0 && sorted[rank] === sorted[rank - 1]) rank++
  // No score was as high: as far above all others as it was before, in units of their spread.
  if (rank >= sorted.length) return { score: extrapolate(score, before, sorted), falseMatches }
  return { score: sorted[rank]!, falseMatches }
}

/** As `recalibrate`, with the share of wrong matches that each of the two thresholds was found to let through. */
export function moveThreshold(score: number, before: Float32Array, after: Float32Array): MovedThreshold {
  const moved = recalibrate(score, before, after)
  return {
    before: { score, falseMatches: moved.falseMatches },
    after: { score: moved.score, falseMatches: measureShareFrom(moved.score, after) },
  }
}

/** What a threshold keeps of answers that were judged. */
export type KeptMatches = {
  /** Share of the answers from the threshold on that are relevant; 1 where there are none. */
  readonly precision: number
  /** Share of the relevant items that are among them; 1 where nothing is relevant. */
  readonly recall: number
}

/** What a threshold keeps of the answers to queries, all of them together, each with its judgements. */
export function measureKept(
  score: number,
  answers: readonly {
    readonly found: readonly { readonly id: string; readonly score: number }[]
    readonly judgements: Judgements
  }[],
): KeptMatches {
  let [told, right, relevant] = [0, 0, 0]
  for (const { found, judgements } of answers) {
    const matches = found.filter((one) => one.score >= score)
    told += matches.length
    right += matches.filter(({ id }) => (judgements.get(id) ?? 0) > 0).length
    relevant += [...judgements.values()].filter((grade) => grade > 0).length
  }
  return { precision: told === 0 ? 1 : right / told, recall: relevant === 0 ? 1 : right / relevant }
}

function measureShareFrom(score: number, scores: Float32Array): number {
  return scores.reduce((count, value) => count + Number(value >= score), 0) / scores.length
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
