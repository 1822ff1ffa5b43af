import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Failure, Pauses } from '../../lib/domain/in-flight-pauses.ts'

const failure = (parts: Partial<Failure>): Failure => ({
  ...{ fault: 'overloaded', begunAt: 0, now: 0, retryAfterMs: undefined },
  ...parts,
})

test('pauses as long as the server asks', () => {
  const pauses = new Pauses(0, () => 0)
  pauses.failed(failure({ now: 100, retryAfterMs: 5_000 }))
  assert.is(pauses.until, 5_100)
  pauses.failed(failure({ now: 200, retryAfterMs: 10 }))
  assert.is(pauses.until, 5_100)
})

test('pauses twice as long each time, ten seconds at most, and counts what failed together once', () => {
  const pauses = new Pauses(0, () => 1)
  const lengths: number[] = []
  for (let time = 0; time < 8; time++) {
    const begunAt = 100_000 * time
    for (let request = 0; request < 5; request++) pauses.failed(failure({ begunAt, now: begunAt + 50 }))
    lengths.push(pauses.until - begunAt - 50)
  }
  assert.equal(lengths, [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
})

test('takes the first failure without a word for an accident, and then asks by one request at a time', () => {
  const pauses = new Pauses(0, () => 1)
  pauses.failed(failure({ fault: 'transient', begunAt: 0, now: 10 }))
  assert.ok(pauses.until <= 10)
  assert.is(pauses.isTrial, false)
  pauses.failed(failure({ fault: 'transient', begunAt: 10, now: 20 }))
  assert.is(pauses.until, 520)
  assert.is(pauses.isTrial, true)
  pauses.succeeded(600)
  assert.is(pauses.isTrial, false)
  assert.is(pauses.progressAt, 600)
})

test('lets clients that failed together return apart', () => {
  const early = new Pauses(0, () => 0)
  early.failed(failure({ now: 0 }))
  assert.is(early.until, 125)
})

test.run()
