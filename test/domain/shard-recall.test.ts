import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { measureShardRecall, wantedOf } from '../../lib/domain/shard-recall.ts'

/** Rows 0, 1, 2, ... with falling scores. */
const falling = (count: number) => Array.from({ length: count }, (_, row) => ({ row, score: 1 - row / 100 }))

test('wants the ten nearest rows of a query, but not its own', () => {
  const wanted = wantedOf(falling(21), 0)
  assert.equal([...wanted.rows], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  assert.equal([...wantedOf(falling(21), undefined).rows], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('takes rows that tie with the tenth for as good as it', () => {
  const exact = falling(21).map(({ row, score }) => ({ row, score: row >= 9 ? 0.5 : score }))
  const wanted = wantedOf(exact, undefined)
  assert.is(wanted.rows.size, 21)
  assert.is(wanted.needed, 10)
  const found = [0, 1, 2, 3, 4, 5, 6, 7, 8, 20]
  assert.is(
    measureShardRecall([wanted], () => found),
    1,
  )
})

test('measures the share of what all queries should find', () => {
  const wanted = [wantedOf(falling(21), undefined), wantedOf(falling(3), 2)]
  const found = [[0, 1, 2, 3, 4, 30, 31, 32, 33, 34], [1]]
  assert.is(
    measureShardRecall(wanted, (query) => found[query]!),
    6 / 12,
  )
})

test('counts no query better than perfect, and an empty shard as found', () => {
  const tied = wantedOf(
    falling(21).map(({ row }) => ({ row, score: 0.5 })),
    undefined,
  )
  assert.is(
    measureShardRecall([tied], () => falling(21).map(({ row }) => row)),
    1,
  )
  assert.is(
    measureShardRecall([wantedOf([], undefined)], () => []),
    1,
  )
})

test.run()
