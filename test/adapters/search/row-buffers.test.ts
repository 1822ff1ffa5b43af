import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { RowBuffers } from '../../../lib/adapters/search/row-buffers.ts'

for (const dimensions of [5, 16, 40]) {
  const makeRow = (seed: number) => Float32Array.from({ length: dimensions }, (_, column) => seed + column)

  test(`hands rows of ${dimensions} numbers out as they were put in, each buffer its own`, () => {
    const buffers = new RowBuffers({ buffers: 2, capacity: 3, dimensions })
    for (let place = 0; place < 3; place++) {
      buffers.put(0, place, bytesOf(makeRow(place)), 0)
      buffers.put(1, place, bytesOf(makeRow(99 + place), makeRow(100 + place)), dimensions * 4)
    }
    const bytes = buffers.bytesOf(0, 1, 3)
    const expected = Float32Array.from([...makeRow(1), ...makeRow(2)])
    assert.equal(Buffer.from(bytes), Buffer.from(expected.buffer))
  })

  test(`tells the squared norms of rows of ${dimensions} numbers, and which are not finite`, () => {
    const buffers = new RowBuffers({ buffers: 2, capacity: 3, dimensions })
    const rows = [makeRow(1), makeRow(2).fill(Number.NaN, 1, 2), makeRow(3)]
    for (const [place, row] of rows.entries()) buffers.put(1, place, bytesOf(row), 0)
    const norms = buffers.squaredNorms(1, 3)
    const expected = makeRow(3).reduce((sum, value) => sum + value * value, 0)
    assert.equal([...norms].map(Number.isFinite), [true, false, true])
    assert.ok(Math.abs(norms[2]! - expected) < 1e-3 * expected)
    assert.is(buffers.squaredNorms(1, 0).length, 0)
  })
}

function bytesOf(...rows: Float32Array[]): Buffer {
  return Buffer.from(Float32Array.from(rows.flatMap((row) => [...row])).buffer)
}

test.run()
