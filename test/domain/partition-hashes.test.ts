import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { partitionHashes } from '../../lib/domain/partition-hashes.ts'

test('orders entries by the uppermost byte of their first word, and keeps the order of those that share it', () => {
  const entries = [0xff000001, 1, 0x00000002, 2, 0x80000003, 3, 0x00000001, 4, 0xff000000, 5]
  assert.equal(
    [...partitionHashes(Uint32Array.from(entries), 2)],
    [...[0x00000002, 2, 0x00000001, 4], ...[0x80000003, 3], ...[0xff000001, 1, 0xff000000, 5]],
  )
})

test('leaves nothing of nothing', () => {
  assert.is(partitionHashes(new Uint32Array(0), 3).length, 0)
})

test.run()
