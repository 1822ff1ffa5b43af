import { randomBytes } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Order } from '../../../lib/adapters/relay/protocol.ts'
import { PutFlow } from '../../../lib/adapters/relay/put-flow.ts'
import { eventually } from '../../support/eventually.ts'

const BYTES = 256 * 1024
const PART = 32 * 1024 - 256

/** A flow to a relay that is played: what it was given, and what it did of it. */
function playFlow() {
  const given: { readonly order: Order; readonly body: Uint8Array }[] = []
  const flow = new PutFlow({
    async give(order, body = new Uint8Array()) {
      given.push({ order, body })
      return true
    },
  })
  const reads: number[] = []
  const wanted = new Set<number>()
  const pieces = new Map<number, Buffer>()
  return {
    flow,
    given,
    reads,
    wanted,
    pieces,
    send(piece: number) {
      wanted.add(piece)
      pieces.set(piece, randomBytes(BYTES))
      return flow.send({
        piece,
        isWanted: () => wanted.has(piece),
        async read() {
          reads.push(piece)
          return { sha256: `${piece}`, bytes: pieces.get(piece)! }
        },
      })
    },
    /** Acknowledges all that comes until so many parts have. */
    async take(parts: number) {
      for (let heard = 0; heard < parts; ) {
        await eventually(() => assert.ok(given.length > heard))
        heard = given.length
        flow.acknowledge(given.reduce((sum, { body }) => sum + body.length, 0))
      }
    },
  }
}

test('leaves a relay only as much as it has room for, and reads a piece when its turn comes', async () => {
  const { flow, given, reads, send, take, pieces } = playFlow()
  const sent = [send(0), send(1)]
  await eventually(() => assert.is(given.length, 2))
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  assert.is(given.length, 2)
  assert.equal(reads, [0])
  flow.acknowledge(PART)
  await eventually(() => assert.ok(given.length > 2))
  await take(2 * Math.ceil(BYTES / PART))
  assert.equal(await Promise.all(sent), [BYTES, BYTES])
  for (const piece of [0, 1]) {
    const own = given.filter(({ order }) => order.do === 'put' && order.piece === piece)
    assert.equal(Buffer.concat(own.map(({ body }) => body)), pieces.get(piece))
    assert.equal(
      own.map(({ order }) => order.do === 'put' && order.offset),
      own.map((_, index) => index * PART),
    )
  }
})

test('sends nothing that has come from elsewhere before its turn', async () => {
  const { reads, send, take, wanted } = playFlow()
  const sent = [send(0), send(1), send(2)]
  wanted.delete(1)
  await take(2 * Math.ceil(BYTES / PART))
  assert.equal(await Promise.all(sent), [BYTES, 0, BYTES])
  assert.equal(reads, [0, 2])
})

test('goes on after a piece that cannot be read, and ends in the middle of one', async () => {
  const { flow, given, send } = playFlow()
  const read = () => Promise.reject(new Error('damaged'))
  const [broken] = await Promise.allSettled([flow.send({ piece: 9, isWanted: () => true, read })])
  assert.is(broken.status === 'rejected' && broken.reason.message, 'damaged')
  const sent = send(0)
  await eventually(() => assert.is(given.length, 2))
  flow.end()
  assert.is(await sent, 2 * PART)
  assert.is(await send(1), 0)
  assert.is(given.length, 2)
})

test.run()
