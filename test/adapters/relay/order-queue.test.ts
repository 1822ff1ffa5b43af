import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { OrderQueue } from '../../../lib/adapters/relay/order-queue.ts'

const bytes = (text: string) => Buffer.from(text)

test('hands on all that waits as one block, in its order, and tells each that it was taken', async () => {
  const queue = new OrderQueue()
  const taken = [queue.push([bytes('a'), bytes('b')]), queue.push([bytes('c')])]
  const blocks = queue.read()
  assert.is(String((await blocks.next()).value), 'abc')
  const next = blocks.next()
  taken.push(queue.push([bytes('d')]))
  assert.is(String((await next).value), 'd')
  queue.close()
  assert.ok((await blocks.next()).done)
  assert.equal(await Promise.all(taken), [true, true, true])
})

test('tells whoever waits that nothing was taken when the connection ends', async () => {
  const queue = new OrderQueue()
  const begun = queue.push([bytes('a')])
  const blocks = queue.read()
  await blocks.next()
  const waiting = queue.push([bytes('b')])
  await blocks.return(undefined)
  queue.discard()
  assert.equal(await Promise.all([begun, waiting, queue.push([bytes('c')])]), [false, false, false])
})

test.run()
