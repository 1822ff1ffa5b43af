import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Interval } from '../../lib/domain/rank-quality.ts'
import type { Comparison, Quality } from '../../lib/flows/compare.ts'
import { describeComparison, judgeLoss } from '../../lib/flows/migrate-gate.ts'

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

test.run()
