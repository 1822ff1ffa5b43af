import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createTurnstile } from '../../../lib/adapters/ssh/limit.ts'

test('lets the next one begin when the one before has left, not when it has ended', async () => {
  const turnstile = createTurnstile(1)
  const events: string[] = []
  const ends: (() => void)[] = []
  const work = (name: string) =>
    turnstile(async (leave) => {
      events.push(`${name} begins`)
      if (name === 'a') leave()
      await new Promise<void>((end) => ends.push(end))
      events.push(`${name} ends`)
      return name
    })
  const all = [work('a'), work('b'), work('c')]
  await new Promise(setImmediate)
  assert.equal(events, ['a begins', 'b begins'])
  ends[0]!()
  await new Promise(setImmediate)
  assert.equal(events, ['a begins', 'b begins', 'a ends'])
  ends[1]!()
  await new Promise(setImmediate)
  ends[2]!()
  assert.equal(await Promise.all(all), ['a', 'b', 'c'])
})

test('lets the next one begin, and tells of the failure, when one fails', async () => {
  const turnstile = createTurnstile(1)
  const failing = turnstile(() => Promise.reject(new TypeError('broken')))
  const next = turnstile(async () => 'done')
  assert.instance(await failing.catch((error: unknown) => error), TypeError)
  assert.is(await next, 'done')
})

test.run()
