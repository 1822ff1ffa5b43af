import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { searchExact } from '../../../lib/adapters/search/exact.ts'
import { mapFile } from '../../../lib/adapters/search/mapped-file.ts'
import { METRICS } from '../../../lib/domain/model.ts'
import { innerProduct, scoreOf } from '../../../lib/domain/similarity.ts'
import { makeTempDir } from '../../support/temp.ts'

const value = fc.float({ noNaN: true, min: -2, max: 2 })
const shapes = fc.record({
  dimensions: fc.integer({ min: 1, max: 12 }),
  rows: fc.integer({ min: 1, max: 12 }),
  queries: fc.integer({ min: 1, max: 4 }),
  k: fc.integer({ min: 1, max: 15 }),
  metric: fc.constantFrom(...METRICS),
  values: fc.array(value, { minLength: 200, maxLength: 200 }),
})

test('finds the best rows under every metric, as comparing all of them does', () => {
  fc.assert(
    fc.property(shapes, ({ dimensions, rows, queries, k, metric, values }) => {
      const dataset = Float32Array.from(values.slice(0, rows * dimensions))
      // Queries that begin in the middle of their buffer, as a request's often do.
      const asked = Float32Array.from(values).subarray(150, 150 + queries * dimensions)
      const { scores, rows: found, perQuery } = searchExact(dataset, asked, { dimensions, metric, k })
      assert.is(perQuery, Math.min(k, rows))
      for (let query = 0; query < queries; query++) {
        const a = asked.subarray(query * dimensions, (query + 1) * dimensions)
        const expected = Array.from({ length: rows }, (_, row) => {
          const b = dataset.subarray(row * dimensions, (row + 1) * dimensions)
          const squared = { squaredA: innerProduct(a, a), squaredB: innerProduct(b, b) }
          return scoreOf(metric, { product: innerProduct(a, b), ...squared })
        })
        const best = expected.toSorted((x, y) => y - x)
        for (let rank = 0; rank < perQuery; rank++) {
          const at = query * perQuery + rank
          if (metric === 'cosine' && Math.min(innerProduct(a, a), 1) < 1e-6) continue
          assert.ok(
            Math.abs(scores[at]! - best[rank]!) < 1e-3,
            `${metric} ${scores[at]} is not ${best[rank]}`,
          )
          assert.ok(Math.abs(expected[found[at]!]! - scores[at]!) < 1e-3)
        }
      }
    }),
    { numRuns: 200 },
  )
})

test('reads a mapped file from behind its header', () => {
  const path = join(makeTempDir(), 'vectors')
  const values = Float32Array.from([9, 9, 1, 0, 0, 1, 0.5, 0.5])
  writeFileSync(path, new Uint8Array(values.buffer))
  const file = mapFile(path)
  const dataset = new Float32Array(file.from(8))
  const found = searchExact(dataset, Float32Array.from([0, 1]), { dimensions: 2, metric: 'dot', k: 3 })
  assert.equal([...found.rows], [1, 2, 0])
  assert.equal([...found.scores], [1, 0.5, 0])
  file.unmap()
})

test('reads a dataset that begins in the middle of its buffer', () => {
  const dataset = Float32Array.from([9, 9, 1, 0, 0, 1]).subarray(2)
  const found = searchExact(dataset, Float32Array.from([0, 1]), { dimensions: 2, metric: 'dot', k: 2 })
  assert.equal([...found.rows], [1, 0])
})

test.run()
