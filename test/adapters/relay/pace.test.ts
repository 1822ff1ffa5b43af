import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createPace, type PaceClock } from '../../../lib/adapters/relay/pace.ts'
import { type DeliveryRates, ratesAt } from '../../../lib/domain/delivery-rates.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import { rejectsWith } from '../../support/errors.ts'

const NEVER = new AbortController().signal

/** Milliseconds that bytes for these nodes, asked for at once, take to leave. */
async function timeLeaving(rates: DeliveryRates, bytes: readonly (readonly [string, number])[]) {
  const pace = createPace(() => rates)
  const startedAt = performance.now()
  await Promise.all(bytes.map(([node, size]) => pace(node, size, NEVER)))
  return performance.now() - startedAt
}

test('lets no more leave in all than the total allows, and for each node than its own limit does', async () => {
  const three = [
    ['n1', 100],
    ['n2', 100],
    ['n1', 100],
  ] as const
  assert.ok((await timeLeaving({ perNode: null, total: 1000 }, three)) >= 199)
  const perNode = await timeLeaving({ perNode: 1000, total: null }, three)
  assert.ok(perNode >= 99, `${perNode} ms`)
})

test('takes a new rate from the next bytes on', async () => {
  let rates: DeliveryRates = { perNode: null, total: 1 }
  const pace = createPace(() => rates)
  await pace('n1', 1_000_000, NEVER)
  rates = { perNode: null, total: null }
  await pace('n1', 1_000_000, NEVER)
})

test('changes to the rates of the night for what waits already', async () => {
  const limits = { total: 1000, night: { from: '22:00', to: '06:00', total: 1_000_000 } }
  // A minute before the night begins.
  let time = 0
  const clock: PaceClock = {
    now: () => time,
    async wait(ms) {
      time += ms
    },
  }
  const pace = createPace(() => ratesAt(limits, 21 * 60 + 59 + Math.floor(time / 60_000)), clock)
  for (let piece = 0; piece < 10; piece++) await pace('n1', 100_000, NEVER)
  assert.ok(time >= 60_000 && time < 61_500, `${time} ms; by the limits of the day it is 900 s`)
})

test('waits no longer than until it is interrupted', async () => {
  const controller = new AbortController()
  const pace = createPace(() => ({ perNode: 1, total: null }))
  await pace('n1', 1_000_000, controller.signal)
  const waiting = rejectsWith(pace('n1', 1, controller.signal), 'interrupted')
  controller.abort(new LongshoreError('interrupted', 'interrupted'))
  await waiting
})

test.run()
