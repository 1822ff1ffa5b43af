import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bootstrapMean, measureRanking } from '../../lib/domain/rank-quality.ts'

const near = (actual: number | undefined, expected: number) =>
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 1e-9, `${actual} is not ${expected}`)

test('measures the worked example of graded gain', () => {
  // Grades 3, 2, 3, 0, 1, 2 in the order of the answer, 3 and 2 left out of it.
  const grades = { a: 3, b: 2, c: 3, d: 0, e: 1, f: 2, g: 3, h: 2 }
  const quality = measureRanking(['a', 'b', 'c', 'd', 'e', 'f'], new Map(Object.entries(grades)), 6)
  const gain = (list: number[]) =>
    list.reduce((sum, grade, at) => sum + (2 ** grade - 1) / Math.log2(at + 2), 0)
  near(quality?.ndcg, gain([3, 2, 3, 0, 1, 2]) / gain([3, 3, 3, 2, 2, 2]))
  near(quality?.recall, 5 / 7)
  near(quality?.reciprocalRank, 1)
})

test('is one for the best order, nought without a relevant item, and nothing where none is known', () => {
  const judgements = new Map([
    ['a', 2],
    ['b', 1],
  ])
  assert.equal(measureRanking(['a', 'b', 'x'], judgements, 10), { recall: 1, ndcg: 1, reciprocalRank: 1 })
  assert.equal(measureRanking(['x', 'y'], judgements, 10), { recall: 0, ndcg: 0, reciprocalRank: 0 })
  assert.is(measureRanking(['a'], new Map([['a', 0]]), 10), undefined)
})

test('counts nothing beyond the first k', () => {
  assert.equal(measureRanking(['x', 'a'], new Map([['a', 1]]), 1), { recall: 0, ndcg: 0, reciprocalRank: 0 })
  near(measureRanking(['x', 'y', 'a'], new Map([['a', 1]]), 3)?.reciprocalRank, 1 / 3)
})

test('gives an interval around the mean that narrows with the number of queries', () => {
  const few = bootstrapMean([0, 1, 0, 1])
  const many = bootstrapMean(Array.from({ length: 400 }, (_, index) => index % 2))
  assert.is(few.mean, 0.5)
  assert.ok(few.low < many.low && many.low < 0.5 && 0.5 < many.high && many.high < few.high)
  // The normal approximation for 400 coin tosses: 0.5 +- 1.96 * 0.025.
  assert.ok(Math.abs(many.low - 0.451) < 0.015 && Math.abs(many.high - 0.549) < 0.015)
  assert.equal(bootstrapMean([1, 1, 1]), { mean: 1, low: 1, high: 1 })
  assert.throws(() => bootstrapMean([]), /at least one/)
})

test.run()
