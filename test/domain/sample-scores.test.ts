import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findNeighbours, listPairScores, scoreAll } from '../../lib/domain/sample-scores.ts'
import { makeModel } from '../support/generation.ts'

const model = { ...makeModel(2), normalized: false }
const rows = Float32Array.of(1, 0, 0, 2, 1, 1, 0, 0)

test('scores every two items as the metric says, an item of zeros with 0', () => {
  const half = Math.fround(Math.SQRT1_2)
  assert.equal([...scoreAll({ rows, model })], [1, 0, half, 0, 0, 1, half, 0, half, half, 1, 0, 0, 0, 0, 0])
  assert.equal(
    [...scoreAll({ rows: rows.subarray(0, 4), model: { ...model, metric: 'l2' } })],
    [0, -5, -5, 0],
  )
})

test('lists the score of every pair once, none of an item with itself', () => {
  const scores = scoreAll({ rows: rows.subarray(0, 6), model: { ...model, metric: 'dot' } })
  assert.equal([...listPairScores(scores)], [0, 1, 2])
  assert.is(listPairScores(scoreAll({ rows: rows.subarray(0, 2), model })).length, 0)
})

test('finds the best others, equal ones in the order of the items', () => {
  assert.equal(findNeighbours(scoreAll({ rows, model }), 2), [
    [2, 1],
    [2, 0],
    [0, 1],
    [0, 1],
  ])
})

test.run()
