import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compareHits, mergeTopK } from '../../lib/domain/top-k.ts'

const hit = fc.record({
  id: fc.string({ maxLength: 4 }),
  score: fc.integer({ min: -3, max: 3 }).map((n) => n / 4),
})
const nameOf = ({ id, score }: { id: string; score: number }) => `${id} ${score}`
const lists = fc.array(fc.array(hit, { maxLength: 12 }), { maxLength: 6 })

test('takes the k best hits of all lists, as comparing all of them would', () => {
  fc.assert(
    fc.property(lists, fc.integer({ min: 1, max: 20 }), (given, k) => {
      const all = given.flat()
      const merged = mergeTopK(given, k)
      assert.is(merged.length, Math.min(k, all.length))
      for (const [rank, one] of merged.entries()) {
        const better = all.filter((other) => compareHits(other, one) < 0).length
        assert.ok(better <= rank)
      }
      const left = all.filter((one) => !merged.includes(one))
      assert.ok(left.every((one) => merged.every((taken) => compareHits(taken, one) <= 0)))
    }),
  )
})

test('does not depend on who answered first', () => {
  fc.assert(
    fc.property(lists, fc.integer({ min: 1, max: 20 }), (given, k) => {
      const reversed = mergeTopK(given.toReversed(), k)
      assert.equal(reversed.map(nameOf), mergeTopK(given, k).map(nameOf))
    }),
  )
})

test('puts equal scores in the order of their ids', () => {
  const merged = mergeTopK([[{ id: 'b', score: 1 }], [{ id: 'a', score: 1 }], [{ id: 'c', score: 2 }]], 3)
  assert.equal(
    merged.map(({ id }) => id),
    ['c', 'a', 'b'],
  )
})

test.run()
