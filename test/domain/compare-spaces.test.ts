import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compareSpaces } from '../../lib/domain/compare-spaces.ts'
import { findRange, makeHistogram } from '../../lib/domain/histogram.ts'
import { createRandom } from '../../lib/domain/random.ts'
import { listRates, RateCurve } from '../../lib/domain/rate-curve.ts'
import { makeModel } from '../support/generation.ts'

const [ITEMS, DIMENSIONS] = [80, 6]
const model = makeModel(DIMENSIONS)
const names = Array.from({ length: ITEMS }, (_, item) => `item ${item}`)
const makeSample = (seed: number) => {
  const random = createRandom(seed)
  return Float32Array.from({ length: ITEMS * DIMENSIONS }, () => random() - 0.5)
}
const rows = makeSample(1)

test('finds every neighbour of a space again in the same one turned, at the same places', () => {
  const turned = rows.map((_, at) => {
    const [row, column] = [Math.floor(at / DIMENSIONS), at % DIMENSIONS]
    return rows[row * DIMENSIONS + ((column + 1) % DIMENSIONS)]! * (column === 0 ? -1 : 1)
  })
  const { overlap, map, scores } = compareSpaces(names, { rows, model }, { rows: turned, model })
  assert.equal(
    overlap,
    [1, 5, 10, 25].map((k) => ({ k, overlap: 1 })),
  )
  assert.equal(scores.before.pairs.shares, scores.after.pairs.shares)
  for (const { before, after } of map.items) {
    assert.ok(Math.hypot(before[0] - after[0], before[1] - after[1]) < 1e-3, `${before} and ${after}`)
  }
})

test('tells which items have other neighbours under an unrelated model, whose dimensions are others', () => {
  const other = { rows: makeSample(2).subarray(0, ITEMS * 3), model: makeModel(3) }
  const { overlap, map, items } = compareSpaces(names, { rows, model }, other)
  assert.is(items, ITEMS)
  assert.ok(overlap[2]!.overlap < 0.3, JSON.stringify(overlap))
  const kept = map.items.map((item) => item.kept)
  assert.ok(Math.abs(kept.reduce((sum, share) => sum + share, 0) / ITEMS - overlap[2]!.overlap) < 1e-9)
  assert.equal([map.items[7]!.name, map.items.length], ['item 7', ITEMS])
})

test('has nothing to tell of no items and of one', () => {
  for (const count of [0, 1]) {
    const few = { rows: rows.subarray(0, count * DIMENSIONS), model }
    const { overlap, scores } = compareSpaces(names.slice(0, count), few, few)
    assert.equal(new Set(scores.before.pairs.shares), new Set([0]))
    assert.is(overlap[0]!.overlap, count === 0 ? 0 : 1)
  }
})

test('counts values into equal parts, the largest into the last', () => {
  const values = Float32Array.of(0, 1, 2, 3, 4)
  assert.equal(findRange(values), { from: 0, to: 4 })
  assert.equal(makeHistogram(values, { from: 0, to: 4, bins: 2 }).shares, [0.4, 0.6])
  assert.equal(makeHistogram(Float32Array.of(7, 7), { from: 7, to: 7, bins: 2 }).shares, [1, 0])
})

test('remembers a long run by few points, the last one always among them', () => {
  const curve = new RateCurve()
  assert.equal(curve.list(), [])
  for (let at = 1; at <= 1000; at++) curve.add({ ms: 10 * at, items: 5 * at })
  const points = curve.list()
  assert.ok(points.length > 50 && points.length <= 121, `${points.length}`)
  assert.equal(points.at(-1), { ms: 10_000, items: 5000 })
  const rates = listRates(points)
  assert.ok(rates.every(({ perSecond }) => Math.abs(perSecond - 500) < 1e-9))
})

test('takes two points of one moment for no rate', () => {
  assert.equal(listRates([{ ms: 0, items: 4 }]), [])
  assert.equal(
    listRates([
      { ms: 500, items: 4 },
      { ms: 500, items: 8 },
    ]),
    [{ ms: 500, perSecond: 8 }],
  )
})

test.run()
