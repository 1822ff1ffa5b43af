import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { joinRuns, NOWHERE, type RowBlock, RowMatcher } from '../../lib/domain/row-delta.ts'

/** Rows of 10 bytes by their fingerprints. */
function block(...prints: number[]): RowBlock {
  return {
    count: prints.length,
    prints: Uint32Array.from(prints.flatMap((print) => [print, ~print])),
    lengths: new Uint32Array(prints.length).fill(10),
  }
}

function find(target: RowBlock, ...base: RowBlock[]): number[] {
  const matcher = new RowMatcher(target)
  let start = 0
  for (const rows of base) {
    matcher.look(rows, start)
    start += 10 * rows.count
  }
  return [...matcher.finish()]
}

test('finds rows wherever they stand in the base', () => {
  assert.equal(find(block(5, 9, 7, 6), block(6, 5), block(8, 7)), [10, NOWHERE, 30, 0])
})

test('keeps rows that stand more than once in one run where the base has them in that order', () => {
  assert.equal(find(block(1, 2, 1, 3, 1), block(1, 2, 1, 3, 1)), [0, 10, 20, 30, 40])
})

test('takes a row that stands twice from the one place that the base has', () => {
  assert.equal(find(block(4, 5, 4), block(4)), [0, NOWHERE, 0])
})

test('keeps the first place that a row was found at', () => {
  assert.equal(find(block(1, 2, 3), block(1, 2, 3), block(9, 2, 3)), [0, 10, 20])
})

test('tells rows apart of which only half of the fingerprint is the same', () => {
  const other = block(1)
  other.prints[1] = 77
  assert.equal(find(block(1), other), [NOWHERE])
})

test('finds nothing in an empty base, and nothing for an empty window', () => {
  assert.equal(find(block(1, 2)), [NOWHERE, NOWHERE])
  assert.equal(find(block(), block(1)), [])
})

test('joins rows to runs that end where the base does not go on', () => {
  const places = Float64Array.of(100, 110, NOWHERE, NOWHERE, 40, 60)
  const runs = [...joinRuns(block(0, 0, 0, 0, 0, 0).lengths, places, { first: 1, last: 6 })]
  assert.equal(runs, [
    { first: 1, rows: 1, bytes: 10, from: 110 },
    { first: 2, rows: 2, bytes: 20, from: NOWHERE },
    { first: 4, rows: 1, bytes: 10, from: 40 },
    { first: 5, rows: 1, bytes: 10, from: 60 },
  ])
})

test.run()
