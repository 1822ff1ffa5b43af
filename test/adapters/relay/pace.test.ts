import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createPace } from '../../../lib/adapters/relay/pace.ts'
import type { DeliveryRates } from '../../../lib/domain/delivery-rates.ts'
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

test('waits no longer than until it is interrupted', async () => {
  const controller = new AbortController()
  const pace = createPace(() => ({ perNode: 1, total: null }))
  await pace('n1', 1_000_000, controller.signal)
  const waiting = rejectsWith(pace('n1', 1, controller.signal), 'interrupted')
  controller.abort(new LongshoreError('interrupted', 'interrupted'))
  await waiting
})

test.run()
