import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { quantise, scaleFor } from '../../../lib/adapters/search/codes.ts'
import { type ExactMatches, searchExact } from '../../../lib/adapters/search/exact.ts'
import { searchQuantised } from '../../../lib/adapters/search/quantised.ts'
import { METRICS } from '../../../lib/domain/model.ts'
import { clusteredRows } from '../../support/rows.ts'

const dimensions = 64

function quantised(vectors: Float32Array) {
  const scale = scaleFor(vectors)
  const codes = new Int8Array(vectors.length)
  quantise(vectors, scale, codes)
  return { vectors, codes, scale }
}

const rowsOf = ({ rows, perQuery }: ExactMatches, query: number) =>
  rows.subarray(query * perQuery, (query + 1) * perQuery)

test('finds nearly what exact search finds under every metric, with exactly its scores', () => {
  const all = clusteredRows(20_020, { dimensions })
  const vectors = all.slice(20 * dimensions)
  const queries = all.slice(0, 20 * dimensions)
  for (const metric of METRICS) {
    const exact = searchExact(vectors, queries, { dimensions, metric, k: 10 })
    const found = searchQuantised(quantised(vectors), queries, { dimensions, metric, k: 10, candidates: 50 })
    assert.is(found.perQuery, 10)
    let hits = 0
    for (let query = 0; query < 20; query++) {
      for (const [rank, row] of rowsOf(found, query).entries()) {
        const at = rowsOf(exact, query).indexOf(row)
        if (at < 0) continue
        hits++
        assert.is(found.scores[query * 10 + rank], exact.scores[query * 10 + at], `${metric} ${row}`)
      }
    }
    assert.ok(hits / 200 >= 0.995, `${metric}: recall ${hits / 200}`)
  }
})

test('loses recall where too few candidates are compared again, so the number of them counts', () => {
  const all = clusteredRows(5020, { dimensions })
  const [queries, vectors] = [all.slice(0, 20 * dimensions), all.slice(20 * dimensions)]
  // One large number makes all others small codes.
  vectors[0] = 40
  const share = (candidates: number) => {
    const exact = searchExact(vectors, queries, { dimensions, metric: 'dot', k: 10 })
    const found = searchQuantised(quantised(vectors), queries, {
      dimensions,
      metric: 'dot',
      k: 10,
      candidates,
    })
    return Array.from({ length: 20 }, (_, query) =>
      [...rowsOf(found, query)].filter((row) => rowsOf(exact, query).includes(row)),
    ).flat().length
  }
  assert.ok(share(10) < 180, `${share(10)} of 200`)
  assert.ok(share(1000) > 196, `${share(1000)} of 200`)
})

test('rounds to the nearest code and clamps what is too large', () => {
  const codes = new Int8Array(5)
  quantise(Float32Array.from([0.26, -0.26, 9, -9, 0]), 10, codes)
  assert.equal([...codes], [3, -3, 90, -90, 0])
  quantise(Float32Array.from([0, 0, 100, -100, 0]), 10, codes)
  assert.equal([...codes], [0, 0, 127, -127, 0])
})

test('gives all rows where k is larger than their number, and none of none', () => {
  const vectors = clusteredRows(3, { dimensions })
  const query = clusteredRows(1, { dimensions, seed: 2 })
  const options = { dimensions, metric: 'l2', k: 10, candidates: 20 } as const
  const found = searchQuantised(quantised(vectors), query, options)
  assert.equal(found, searchExact(vectors, query, options))
  assert.is(found.perQuery, 3)
  assert.is(searchQuantised(quantised(new Float32Array(0)), query, options).rows.length, 0)
  assert.is(searchQuantised(quantised(vectors), new Float32Array(0), options).rows.length, 0)
})

test('gives rows of the same score in their order', () => {
  const row = clusteredRows(1, { dimensions })
  const vectors = new Float32Array(40_000 * dimensions)
  for (const at of [7, 16_400, 39_999]) vectors.set(row, at * dimensions)
  const options = { dimensions, metric: 'dot', k: 3, candidates: 8 } as const
  assert.equal([...searchQuantised(quantised(vectors), row, options).rows], [7, 16_400, 39_999])
  assert.equal([...searchExact(vectors, row, options).rows], [7, 16_400, 39_999])
})

test('searches vectors and queries that lie anywhere in their buffers', () => {
  const all = clusteredRows(40_001, { dimensions })
  const vectors = all.subarray(dimensions)
  const query = all.subarray(9 * dimensions, 10 * dimensions)
  const options = { dimensions, metric: 'cosine', k: 5, candidates: 20 } as const
  const expected = searchExact(vectors.slice(), query.slice(), options)
  assert.is(expected.rows[0], 8)
  assert.equal(searchExact(vectors, query, options), expected)
  assert.equal(searchQuantised(quantised(vectors), query, options), expected)
})

test('answers a query of zeros', () => {
  const vectors = clusteredRows(20, { dimensions })
  const options = { dimensions, metric: 'dot', k: 5, candidates: 20 } as const
  assert.equal(
    [...searchQuantised(quantised(vectors), new Float32Array(dimensions), options).scores],
    [0, 0, 0, 0, 0],
  )
})

test.run()
