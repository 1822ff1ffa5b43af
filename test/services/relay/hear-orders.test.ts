import { PassThrough } from 'node:stream'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeFrame } from '../../../lib/adapters/relay/frames.ts'
import { hearOrders } from '../../../services/relay/hear-orders.ts'
import { raised } from '../../support/raised.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

function listen() {
  const clock = createVirtualClock()
  const source = new PassThrough()
  const orders = hearOrders(source, clock)
  return { clock, orders, say: () => source.write(encodeFrame({ do: 'stay' })[0]) }
}

test('gives up after 30 s in which nothing was heard', async () => {
  const { clock, orders } = listen()
  const waiting = raised('remote', orders.next())
  await clock.pass(30_000)
  assert.is((await waiting).message, 'no order came for 30 s')
})

test('stays as long as there are signs of life', async () => {
  const { clock, orders, say } = listen()
  for (let turn = 0; turn < 10; turn++) {
    const waiting = orders.next()
    await clock.pass(29_000)
    say()
    assert.equal((await waiting).value?.header, { do: 'stay' })
  }
})

test('does not count the time in which it does what it was told', async () => {
  const { clock, orders, say } = listen()
  say()
  await orders.next()
  await clock.pass(100_000)
  say()
  assert.equal((await orders.next()).value?.header, { do: 'stay' })
})

test.run()
