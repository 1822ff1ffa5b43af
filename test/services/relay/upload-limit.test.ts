import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { UploadLimit } from '../../../services/relay/upload-limit.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

/** A limit over a clock that is turned by hand, and what each of `takers` has sent through it so far. */
function start(rate: number | null, takers: number) {
  const clock = createVirtualClock()
  const wait = (milliseconds: number) =>
    new Promise<void>((resolve) => void clock.after(milliseconds, resolve))
  const limit = new UploadLimit(rate, { now: clock.now, wait })
  const sent = Array.from({ length: takers }, () => 0)
  const send = async (taker: number) => {
    for (;;) {
      const bytes = limit.sliceBytes
      await limit.take(bytes)
      sent[taker]! += bytes
      if (clock.now() > 60_000) return
    }
  }
  const total = () => sent.reduce((sum, bytes) => sum + bytes, 0)
  return { clock, limit, sent, total, sendAll: () => sent.forEach((_, taker) => void send(taker)) }
}

test('sends as much as its rate says, over all connections together', async () => {
  for (const rate of [100_000, 1_000_000, 50_000_000]) {
    for (const takers of [1, 7]) {
      const { clock, total, sendAll } = start(rate, takers)
      sendAll()
      await clock.pass(10_000)
      assert.ok(Math.abs(total() / (10 * rate) - 1) < 0.2, `${total()} bytes in 10 s at ${rate} a second`)
    }
  }
})

test('gives every connection the same', async () => {
  const { clock, sent, sendAll } = start(1_000_000, 5)
  sendAll()
  await clock.pass(10_000)
  assert.ok(Math.max(...sent) - Math.min(...sent) <= 50_000, sent.join())
})

test('does not make up for a time in which nothing was sent', async () => {
  const { clock, total, sendAll } = start(1_000_000, 2)
  await clock.pass(30_000)
  sendAll()
  await clock.pass(1000)
  assert.ok(total() < 1_200_000, `${total()}`)
})

test('follows a change of the rate within a few slices', async () => {
  const { clock, limit, total, sendAll } = start(10_000, 3)
  sendAll()
  await clock.pass(2000)
  limit.setRate(1_000_000)
  await clock.pass(2000)
  const before = total()
  await clock.pass(5000)
  assert.ok(Math.abs((total() - before) / 5_000_000 - 1) < 0.2, `${total() - before}`)
})

test('lets everything pass at once without a limit', async () => {
  const { limit } = start(null, 0)
  for (let turn = 0; turn < 1000; turn++) await limit.take(limit.sliceBytes)
  assert.is(limit.sliceBytes, 65_536)
})

test.run()
