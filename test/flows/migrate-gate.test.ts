import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Comparison, Quality } from '../../lib/domain/comparison.ts'
import type { Interval } from '../../lib/domain/rank-quality.ts'
import { describeComparison, judgeLoss, judgeThreshold } from '../../lib/flows/migrate-gate.ts'

const around = (mean: number): Interval => ({ mean, low: mean - 0.1, high: mean + 0.1 })
const quality = (recall: number, ndcg: number, mrr: number): Quality => ({
  recall: around(recall),
  ndcg: around(ndcg),
  mrr: around(mrr),
})
const compare = (after: Quality): Comparison => ({
  judged: 40,
  quality: { before: quality(0.5, 0.5, 0.5), after },
})

test('passes a model that is better, and one that is worse by no more than the limit', () => {
  assert.equal(judgeLoss(compare(quality(0.6, 0.7, 0.8)), 0.02).measured, 0)
  assert.ok(judgeLoss(compare(quality(0.6, 0.49, 0.8)), 0.02).passed)
})

test('refuses a model by the measure that lost most, and tells both means with their intervals', () => {
  const gate = judgeLoss(compare(quality(0.47, 0.4, 0.9)), 0.02)
  assert.not(gate.passed)
  assert.ok(Math.abs(gate.measured - 0.1) < 1e-9)
  assert.is(gate.limit, '<= 0.02')
  assert.is(gate.detail, 'nDCG@10 of 40 queries: 0.400 (0.300 to 0.500), before 0.500 (0.400 to 0.600)')
})

test('says that nothing was compared where nothing is judged', () => {
  const gate = judgeLoss({ judged: 0 }, 0.02)
  assert.ok(gate.passed)
  assert.match(gate.detail ?? '', 'nothing is compared')
  assert.match(describeComparison({ judged: 0 }), 'nothing is judged')
})

test('never takes drift for a verdict', () => {
  const drift = { queries: 30, overlap: 0, rbo: 0, tau: -1 }
  const comparison = { ...compare(quality(0.5, 0.5, 0.5)), drift }
  assert.ok(judgeLoss(comparison, 0).passed)
  assert.match(describeComparison(comparison), "overlap@10 0.000, RBO 0.000, Kendall's tau -1.000")
})

test('shows both thresholds, the wrong matches and what they keep of judged answers', () => {
  const moved = { before: { score: 0.7, falseMatches: 0.0123 }, after: { score: 0.43, falseMatches: 0.0122 } }
  const kept = { before: { precision: 0.5, recall: 0.8 }, after: { precision: 0.625, recall: 0.75 } }
  const gate = judgeThreshold(moved, kept)
  assert.equal([gate.measured, gate.limit, gate.passed], [0.0122, '<= 0.0123', true])
  const told = 'wrong matches from score 0.43 on, before 0.7'
  assert.is(gate.detail, `${told}; precision 0.625, before 0.5; recall 0.75, before 0.8`)
  assert.is(judgeThreshold(moved).detail, told)
  assert.not(judgeThreshold({ ...moved, after: { score: 0.4, falseMatches: 0.1 } }).passed)
})

test.run()
