import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { KeptBytes } from '../../services/index/kept-bytes.ts'

const LIMIT = 10_000

test('keeps within its limit whatever keys and values clients choose', () => {
  const kept = new KeptBytes<number>(LIMIT)
  const keys = Array.from({ length: 200 }, (_, number) => `${number}`.padEnd(100, 'x'))
  for (const [number, key] of keys.entries()) kept.set(key, number, 0)
  const known = keys.filter((key) => kept.get(key) !== undefined)
  assert.ok(known.length > 0 && known.length * 200 <= LIMIT, `${known.length} empty values`)
  assert.is(kept.get(keys.at(-1)!), 199)
  kept.set('y'.repeat(LIMIT), 1, 0)
  assert.is(kept.get('y'.repeat(LIMIT)), undefined)
})

test('forgets what was not used for the longest time first', () => {
  const kept = new KeptBytes<string>(LIMIT)
  for (const key of ['a', 'b', 'c']) kept.set(key, key, 3000)
  assert.is(kept.get('a'), 'a')
  kept.set('d', 'd', 3000)
  assert.equal(
    ['a', 'b', 'c', 'd'].map((key) => kept.get(key)),
    ['a', undefined, 'c', 'd'],
  )
  kept.set('d', 'D', 9000)
  assert.equal([kept.get('c'), kept.get('d')], [undefined, 'D'])
})

test('keeps nothing that is larger than all that may be kept', () => {
  const kept = new KeptBytes<string>(LIMIT)
  kept.set('a', 'a', 1000)
  kept.set('b', 'b', LIMIT)
  assert.equal([kept.get('a'), kept.get('b')], ['a', undefined])
})

test.run()
