import { createRandom } from './random.ts'

/** Relevance of items to a query: grade by id; 0 is not relevant, and so is an id that is not in it. */
export type Judgements = ReadonlyMap<string, number>

/** What one query's answer is worth: an id list, best first, against judgements. */
export type RankQuality = {
  /** Share of the relevant items among the first k. */
  readonly recall: number
  /** Discounted gain of the first k over that of the best order (Järvelin and Kekäläinen 2002: gain 2^grade - 1, discount log2(rank + 1)). */
  readonly ndcg: number
  /** One over the rank of the first relevant item, 0 where none is among the first k. */
  readonly reciprocalRank: number
}

/** Measures the first `k` of an answer; undefined where nothing is relevant, so that nothing can be measured. */
export function measureRanking(
  ids: readonly string[],
  judgements: Judgements,
  k: number,
): RankQuality | undefined {
  const grades = [...judgements.values()].filter((grade) => grade > 0)
  if (grades.length === 0) return undefined
  const found = ids.slice(0, k).map((id) => judgements.get(id) ?? 0)
  const first = found.findIndex((grade) => grade > 0)
  const best = grades.sort((a, b) => b - a).slice(0, k)
  return {
    recall: found.filter((grade) => grade > 0).length / grades.length,
    ndcg: discountedGain(found) / discountedGain(best),
    reciprocalRank: first < 0 ? 0 : 1 / (first + 1),
  }
}

/** A mean with the interval that 95 of 100 resamplings of the queries fall into. */
export type Interval = { readonly mean: number; readonly low: number; readonly high: number }

const RESAMPLINGS = 1_000

/** The mean of values, one for each query, and its percentile bootstrap interval (Efron 1979); the same for the same values. */
export function bootstrapMean(values: readonly number[]): Interval {
  if (values.length === 0) throw new RangeError('expected at least one value')
  const random = createRandom(values.length)
  const means = Float64Array.from({ length: RESAMPLINGS }, () => {
    let sum = 0
    for (let drawn = 0; drawn < values.length; drawn++) sum += values[Math.floor(random() * values.length)]!
    return sum / values.length
  }).sort()
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return {
    mean,
    low: means[Math.floor(0.025 * RESAMPLINGS)]!,
    high: means[Math.ceil(0.975 * RESAMPLINGS) - 1]!,
  }
}

function discountedGain(grades: readonly number[]): number {
  return grades.reduce((sum, grade, index) => sum + (2 ** grade - 1) / Math.log2(index + 2), 0)
}
