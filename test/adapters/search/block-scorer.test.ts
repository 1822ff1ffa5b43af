import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockScorer } from '../../../lib/adapters/search/block-scorer.ts'

const matrix = (rows: number, columns: number) =>
  fc
    .array(fc.float({ noNaN: true, min: -2, max: 2 }), {
      minLength: rows * columns,
      maxLength: rows * columns,
    })
    .map((values) => Float32Array.from(values))

const shapes = fc
  .record({
    rows: fc.integer({ min: 1, max: 9 }),
    queries: fc.integer({ min: 1, max: 9 }),
    dimensions: fc.integer({ min: 1, max: 40 }),
  })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      rows: matrix(shape.rows, shape.dimensions),
      queries: matrix(shape.queries, shape.dimensions),
    }),
  )

const dot = (a: Float32Array, b: Float32Array) =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)

test('gives the inner product of every row with every query, whatever their number and length', () => {
  fc.assert(
    fc.property(shapes, ({ shape: { dimensions }, rows, queries }) => {
      const scorer = new BlockScorer(queries, dimensions)
      scorer.load(new Float32Array(dimensions * scorer.capacity).fill(7))
      const count = scorer.load(rows)
      assert.is(count, rows.length / dimensions)
      for (let query = 0; query < queries.length / dimensions; query++) {
        const products = scorer.productsOf(query)
        assert.is(products.length, count)
        for (const [row, product] of products.entries()) {
          const a = rows.subarray(row * dimensions, (row + 1) * dimensions)
          const b = queries.subarray(query * dimensions, (query + 1) * dimensions)
          assert.ok(Math.abs(product - dot(a, b)) < 1e-4, `${product} is not ${dot(a, b)}`)
        }
      }
    }),
    { numRuns: 60 },
  )
})

test('takes as many rows as fit and says how many', () => {
  const scorer = new BlockScorer(new Float32Array(8), 8)
  assert.is(scorer.load(new Float32Array(8 * (scorer.capacity + 5))), scorer.capacity)
})

test('lets rows be read into its memory, whatever their length', () => {
  for (const dimensions of [3, 16]) {
    const query = new Float32Array(dimensions).fill(2)
    const scorer = new BlockScorer(query, dimensions)
    const rows = Float32Array.from({ length: 2 * dimensions }, (_, index) => index)
    const count = scorer.fill((target) => {
      target.set(new Uint8Array(rows.buffer))
      return rows.byteLength
    })
    assert.is(count, 2)
    const sum = (row: number) =>
      rows.subarray(row * dimensions, (row + 1) * dimensions).reduce((a, b) => a + b)
    assert.equal([...scorer.productsOf(0)], [2 * sum(0), 2 * sum(1)])
    assert.is(
      scorer.fill(() => 0),
      0,
    )
    assert.is(scorer.productsOf(0).length, 0)
  }
})

test('tells a row that is not finite by its norm', () => {
  const scorer = new BlockScorer(new Float32Array(3), 3)
  scorer.load(Float32Array.from([1, 2, 2, Number.NaN, 0, 0, 0, Number.POSITIVE_INFINITY, 0]))
  const norms = scorer.squaredNorms()
  assert.is(norms[0], 9)
  assert.ok(Number.isNaN(norms[1]))
  assert.is(norms[2], Number.POSITIVE_INFINITY)
})

test.run()
