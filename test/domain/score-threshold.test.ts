import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseQrels } from '../../lib/domain/qrels.ts'
import { createRandom } from '../../lib/domain/random.ts'
import { measureKept, moveThreshold, recalibrate } from '../../lib/domain/score-threshold.ts'

const random = createRandom(7)
const before = Float32Array.from({ length: 10_000 }, () => random() * 0.6)
const near = (actual: number, expected: number, off: number) =>
  assert.ok(Math.abs(actual - expected) < off, `${actual} is not ${expected}`)

test('lets as many wrong matches through under the new model as before', () => {
  const after = before.map((score) => 0.4 + score / 2)
  const { score, falseMatches } = recalibrate(0.54, before, after)
  near(falseMatches, 0.1, 0.01)
  near(score, 0.4 + 0.54 / 2, 0.002)
  const passed = after.filter((value) => value >= score).length / after.length
  near(passed, falseMatches, 0.001)
})

test('keeps a threshold above all random matches above them, at the same distance in their spread', () => {
  const { score, falseMatches } = recalibrate(
    0.8,
    before,
    before.map((value) => 2 * value),
  )
  assert.is(falseMatches, 0)
  near(score, 1.6, 0.01)
})

test('is the lowest score where everything matched, and does not guess without scores', () => {
  assert.is(recalibrate(-1, before, before).score, before.toSorted()[0])
  assert.throws(() => recalibrate(0.5, before, new Float32Array(0)), /either model/)
})

test('takes the next score above where several are equal, so that no more wrong matches pass than before', () => {
  const after = Float32Array.of(0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.8, 0.9)
  const moved = moveThreshold(5, Float32Array.of(1, 2, 3, 4, 5, 0, 0, 0, 0, 5), after)
  assert.equal(moved.before, { score: 5, falseMatches: 0.2 })
  assert.equal(moved.after, { score: Math.fround(0.8), falseMatches: 0.2 })
  const tied = moveThreshold(4, Float32Array.of(1, 2, 3, 4, 5, 0, 0, 0, 0, 5), after)
  assert.equal([tied.before.falseMatches, tied.after.falseMatches], [0.3, 0.2])
})

test('tells what a threshold keeps of judged answers, all of them together', () => {
  const hit = (id: string, score: number) => ({ id, score })
  const answers = [
    {
      found: [hit('a', 0.9), hit('x', 0.8), hit('b', 0.4)],
      judgements: new Map([
        ['a', 1],
        ['b', 2],
      ]),
    },
    {
      found: [hit('c', 0.7)],
      judgements: new Map([
        ['c', 1],
        ['d', 1],
        ['e', 0],
      ]),
    },
  ]
  assert.equal(measureKept(0.5, answers), { precision: 2 / 3, recall: 0.5 })
  assert.equal(measureKept(1, answers), { precision: 1, recall: 0 })
  assert.equal(measureKept(1, []), { precision: 1, recall: 1 })
})

test('reads judgements as TREC writes them', () => {
  const qrels = parseQrels('q1 0 a 2\nq1 0 b 0\n\nq2\t0\ta\t-1\n', 'x.qrels')
  assert.equal(
    [...qrels.get('q1')!],
    [
      ['a', 2],
      ['b', 0],
    ],
  )
  assert.equal([...qrels.get('q2')!], [['a', 0]])
})

for (const line of ['q1 0 a', 'q1 0 a good', 'q1 0 a 1 2']) {
  test(`names the line of a judgement like "${line}"`, () => {
    assert.throws(
      () => parseQrels(`q1 0 b 1\n${line}\n`, 'x.qrels'),
      /x\.qrels:2: expected "query 0 item grade"/,
    )
  })
}

test('refuses two judgements of one pair', () => {
  assert.throws(() => parseQrels('q 0 a 1\nq 0 a 2\n', 'x'), /x:2: item a of query q is judged twice/)
})

test.run()
