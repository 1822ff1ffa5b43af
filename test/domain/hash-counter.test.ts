import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { HashCounter } from '../../lib/domain/hash-counter.ts'
import { hashText } from '../../lib/domain/text-hash.ts'

test('tells how often a hash was there before, also after it grew', () => {
  const counter = new HashCounter()
  for (let round = 0; round < 3; round++) {
    for (let index = 0; index < 5000; index++) assert.is(counter.add(...hashText(`text ${index}`)), round)
  }
})

test('counts many at once as one after the other', () => {
  const hashes = Uint32Array.from(
    { length: 20_000 },
    (_, index) => hashText(`text ${index >> 1}`)[index % 2]!,
  )
  const counter = new HashCounter()
  assert.is(counter.addAll(hashes), 0)
  assert.is(counter.addAll(hashes.subarray(0, 3000)), 1500)
  assert.is(counter.countOf(hashes[2998]!, hashes[2999]!), 2)
  assert.is(counter.countOf(hashes[3000]!, hashes[3001]!), 1)
})

test('tells hashes apart that differ in one half, and counts the hash of zeros too', () => {
  const counter = new HashCounter(4)
  assert.is(counter.add(0, 0), 0)
  assert.is(counter.add(0, 1), 0)
  assert.is(counter.add(1, 0), 0)
  assert.is(counter.add(0xffffffff, 0xffffffff), 0)
  assert.is(counter.add(0, 0), 1)
  assert.is(counter.add(0xffffffff, 0xffffffff), 1)
})

test.run()
