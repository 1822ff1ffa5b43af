import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { comparePredictions, findCompareProblems } from '../../lib/domain/compare-predictions.ts'

const limits = { agreement: 0.99, scoreDelta: 0.01, latencyRatio: 2 }
const pair = (source: object, target: object | undefined, [a, b] = [10, 10]) => ({
  source: { tookMs: a!, predictions: [source as Record<string, unknown>] },
  target: { tookMs: b!, predictions: target ? [target as Record<string, unknown>] : [] },
})
const cat = (name: string, prob: number) => ({ uri: 'x', classes: [{ cat: name, prob }] })
const problemsOf = (...pairs: ReturnType<typeof pair>[]) =>
  findCompareProblems(comparePredictions(pairs, limits), limits)

test('equal answers break no limit, whatever the uri', () => {
  assert.equal(problemsOf(pair(cat('a', 0.5), { ...cat('a', 0.505), uri: 'y', last: true })), [])
  assert.equal(problemsOf(pair({ vals: [1, 2] }, { vals: [2, 4.001] })), [])
  assert.equal(problemsOf(pair({ uri: '1', vector: [] }, { uri: '2', vector: [], last: true })), [])
})

test('another class, another score and another vector are found', () => {
  assert.match(problemsOf(pair(cat('a', 0.5), cat('b', 0.5)))[0]!, /0 of 1 items are answered alike/)
  assert.match(problemsOf(pair(cat('a', 0.5), cat('a', 0.7)))[0]!, /scores differ by 0.2 in the mean/)
  assert.is(problemsOf(pair({ vals: [1, 0] }, { vals: [0, 1] })).length, 2)
  assert.is(problemsOf(pair({ vals: [1, 0] }, { vals: [1] })).length, 2)
  assert.is(problemsOf(pair({ vals: [1, 0] }, { vals: [null, null] })).length, 2)
})

test('an item that the target does not answer is not alike', () => {
  assert.is(comparePredictions([pair(cat('a', 1), undefined)], limits).agreement, 0)
})

test('nothing compared is a problem', () => {
  assert.equal(problemsOf(), ['nothing was answered that could be compared'])
})

test('a slow target is found by the median, unless times are too short to be measured', () => {
  const slow = (times: [number, number]) => pair(cat('a', 1), cat('a', 1), times)
  assert.match(problemsOf(slow([50, 120]), slow([50, 120]), slow([50, 50]))[0]!, /120 ms instead of 50 ms/)
  assert.equal(problemsOf(slow([1, 15])), [])
  assert.equal(problemsOf(slow([50, 60]), slow([50, 60]), slow([50, 900])), [])
})

test.run()
