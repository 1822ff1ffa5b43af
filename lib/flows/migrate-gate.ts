import type { Comparison, Quality } from '../domain/comparison.ts'
import { atMost, type GateResult } from '../domain/quality.ts'
import type { Interval } from '../domain/rank-quality.ts'
import type { MovedThreshold } from '../domain/score-threshold.ts'

const MEASURES = { recall: 'recall@10', ndcg: 'nDCG@10', mrr: 'MRR' } as const
type Measure = keyof typeof MEASURES

/** Whether another model finds as much: of recall, nDCG and MRR the one that lost most. Passes where nothing is judged, and says so. */
export function judgeLoss({ quality, judged }: Comparison, limit: number): GateResult {
  if (!quality) return atMost('modelLoss', 0, limit, 'no golden pairs and no judgements: nothing is compared')
  const losses = listMeasures().map((measure) => ({ measure, loss: lossOf(quality, measure) }))
  const worst = losses.reduce((most, one) => (one.loss > most.loss ? one : most))
  const { before, after } = quality
  const detail = `${MEASURES[worst.measure]} of ${judged} queries: ${render(after[worst.measure])}, before ${render(before[worst.measure])}`
  return atMost('modelLoss', Math.max(0, worst.loss), limit, detail)
}

/**
 * Whether a moved threshold lets through no more wrong matches than the former one. Shows what it keeps of judged answers,
 * which is no verdict.
 */
export function judgeThreshold({ before, after }: MovedThreshold, kept?: Comparison['kept']): GateResult {
  const parts = [
    `wrong matches from score ${digits(after.score)} on, before ${digits(before.score)}`,
    ...(kept
      ? [
          `precision ${digits(kept.after.precision)}, before ${digits(kept.before.precision)}`,
          `recall ${digits(kept.after.recall)}, before ${digits(kept.before.recall)}`,
        ]
      : []),
  ]
  return {
    name: 'threshold',
    measured: after.falseMatches,
    limit: `<= ${digits(before.falseMatches)}`,
    passed: after.falseMatches <= before.falseMatches,
    detail: parts.join('; '),
  }
}

/** What a comparison found, for people: quality with its intervals, and drift. */
export function describeComparison({ quality, drift, judged }: Comparison): string {
  const lines = quality
    ? listMeasures().map(
        (measure) =>
          `${MEASURES[measure]} of ${judged} queries: ${render(quality.before[measure])} -> ${render(quality.after[measure])}`,
      )
    : ['quality: nothing is judged (split.goldenPairs in the profile, or --qrels with --queries)']
  const told = drift
    ? `drift of ${drift.queries} sampled items as queries: overlap@10 ${drift.overlap.toFixed(3)}, RBO ${drift.rbo.toFixed(3)}, Kendall's tau ${drift.tau.toFixed(3)}`
    : 'drift: the sampled items have no texts to ask with'
  return [...lines, told].join('\n')
}

function listMeasures(): Measure[] {
  return Object.keys(MEASURES) as Measure[]
}

function lossOf({ before, after }: { readonly before: Quality; readonly after: Quality }, measure: Measure) {
  return before[measure].mean - after[measure].mean
}

function render({ mean, low, high }: Interval): string {
  return `${mean.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`
}

function digits(value: number): string {
  return String(Number(value.toPrecision(4)))
}
