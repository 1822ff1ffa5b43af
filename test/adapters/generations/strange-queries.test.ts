import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeStrangeQueries } from '../../../lib/adapters/generations/strange-queries.ts'
import { searchExact } from '../../../lib/adapters/search/exact.ts'
import { METRICS } from '../../../lib/domain/model.ts'
import { makeVectors } from '../../support/shard.ts'

const DIMENSIONS = 24

for (const scoring of METRICS) {
  test(`makes the same queries for the same rows, and knows what they should find, under ${scoring}`, () => {
    const vectors = makeVectors(1000, DIMENSIONS)
    const space = { items: 1000, dimensions: DIMENSIONS, scoring }
    const { queries, wanted } = makeStrangeQueries(vectors, space)
    assert.equal(makeStrangeQueries(vectors, space).queries, queries)
    assert.is(wanted.length, queries.length / DIMENSIONS)
    const exact = searchExact(vectors, queries, { dimensions: DIMENSIONS, metric: scoring, k: 10 })
    for (const [query, { rows, own }] of wanted.entries()) {
      assert.is(own, undefined)
      for (const row of exact.rows.subarray(query * 10, query * 10 + 10)) assert.ok(rows.has(row))
    }
  })
}

test('makes queries that lie about as far from all rows as rows lie from each other', () => {
  const vectors = makeVectors(4000, DIMENSIONS)
  const { queries } = makeStrangeQueries(vectors, { items: 4000, dimensions: DIMENSIONS, scoring: 'l2' })
  const distanceAt = (asked: Float32Array, rank: number) => {
    const { scores, perQuery } = searchExact(vectors, asked, { dimensions: DIMENSIONS, metric: 'l2', k: 2 })
    return -scores.filter((_, at) => at % perQuery === rank).reduce((sum, score) => sum + score, 0)
  }
  const ratio = distanceAt(queries, 0) / distanceAt(vectors.subarray(0, queries.length), 1)
  assert.ok(ratio > 0.6 && ratio < 1.6, `squared distances are ${ratio.toFixed(2)} of those between rows`)
})

test('makes do with shards of a few rows', () => {
  for (const items of [1, 2, 15]) {
    const vectors = makeVectors(items, DIMENSIONS)
    const { wanted } = makeStrangeQueries(vectors, { items, dimensions: DIMENSIONS, scoring: 'cosine' })
    assert.equal(
      wanted.map(({ needed }) => needed),
      new Array(items).fill(Math.min(10, items)),
    )
  }
})

test.run()
