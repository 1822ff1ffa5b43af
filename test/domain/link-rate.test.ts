import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createLinkRate, findTypicalRate, isKnown, isSlow, noteFetch } from '../../lib/domain/link-rate.ts'

/** A link over which so many fetches of 1000 bytes took so many ms each. */
function makeLink(fetches: number, ms: number) {
  const rate = createLinkRate()
  for (let fetch = 0; fetch < fetches; fetch++) noteFetch(rate, 1000, { ms, shared: 1 })
  return rate
}

test('calls no link slow for its first fetches, which those who have just begun answer late', () => {
  const typical = findTypicalRate([makeLink(20, 10), makeLink(20, 11), makeLink(5, 100)])
  assert.not(isSlow(makeLink(5, 100), typical))
  assert.ok(isSlow(makeLink(20, 100), typical))
  assert.not(isKnown(makeLink(5, 100)))
})

test('takes a link for as fast as it ever was, for a while', () => {
  const rate = makeLink(20, 10)
  for (let fetch = 0; fetch < 5; fetch++) noteFetch(rate, 1000, { ms: 100, shared: 1 })
  assert.not(isSlow(rate, 100))
  for (let fetch = 0; fetch < 50; fetch++) noteFetch(rate, 1000, { ms: 100, shared: 1 })
  assert.ok(isSlow(rate, 100))
})

test.run()
