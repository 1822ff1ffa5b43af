import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { searchChosen } from '../../../lib/adapters/search/chosen-rows.ts'
import { searchExact } from '../../../lib/adapters/search/exact.ts'
import { METRICS } from '../../../lib/domain/model.ts'
import { clusteredRows } from '../../support/rows.ts'

const dimensions = 8
const vectors = clusteredRows(10_000, { dimensions })
const queries = clusteredRows(3, { dimensions, seed: 2 })

test('finds the best of the chosen rows for every query, with the scores of exact search', () => {
  const chosen = Uint32Array.from({ length: 9_000 }, (_, index) => index).filter((row) => row % 7 !== 0)
  for (const metric of METRICS) {
    const all = searchExact(vectors, queries, { dimensions, metric, k: 10_000 })
    const found = searchChosen(vectors, chosen, queries, { dimensions, metric, k: 20 })
    assert.is(found.perQuery, 20)
    for (let query = 0; query < 3; query++) {
      const own = all.rows.subarray(query * 10_000, (query + 1) * 10_000)
      const expected = [...own].filter((row) => row < 9_000 && row % 7 !== 0).slice(0, 20)
      assert.equal([...found.rows.subarray(query * 20, (query + 1) * 20)], expected)
      for (const [rank, row] of expected.entries()) {
        assert.is(found.scores[query * 20 + rank], all.scores[query * 10_000 + own.indexOf(row)])
      }
    }
  }
})

test('gives equal rows in their order, also those that are not compared together', () => {
  const same = new Float32Array(6_000 * dimensions).fill(0.5)
  const chosen = Uint32Array.from([3, 10, 4_500, 5_999])
  const rows = [...new Array(5_000).keys()].map((row) => row + 500)
  const options = { dimensions, metric: 'dot', k: 4 } as const
  assert.equal([...searchChosen(same, chosen, queries.slice(0, dimensions), options).rows], [...chosen])
  const few = searchChosen(same, Uint32Array.from(rows), queries.slice(0, dimensions), {
    ...options,
    k: 5_000,
  })
  assert.equal([...few.rows], rows)
})

test.run()
