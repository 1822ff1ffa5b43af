import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  encodeFrame,
  encodeFrameStart,
  type FrameLimits,
  readFrames,
} from '../../../lib/adapters/relay/frames.ts'
import type { Order } from '../../../lib/adapters/relay/protocol.ts'
import { raised } from '../../support/raised.ts'

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let taken = 0, turn = 0; taken < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? bytes.length
    yield bytes.subarray(taken, taken + size)
    taken += size
  }
}

async function readAll(bytes: Uint8Array, sizes: readonly number[] = [bytes.length], limits?: FrameLimits) {
  const frames: { header: object; body: string }[] = []
  for await (const { header, body } of readFrames<object>(cut(bytes, sizes), limits)) {
    frames.push({ header, body: body.toString('hex') })
  }
  return frames
}

test('reads what was written, however the stream is cut', async () => {
  const messages = fc.array(
    fc.tuple(
      fc.string({ unit: 'grapheme' }).map((name) => ({ do: name })),
      fc.uint8Array({ maxLength: 90 }),
    ),
  )
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 })
  await fc.assert(
    fc.asyncProperty(messages, sizes, async (list, cuts) => {
      const bytes = Buffer.concat(list.flatMap(([header, body]) => encodeFrame(header, body)))
      assert.equal(
        await readAll(bytes, cuts),
        list.map(([header, body]) => ({ header, body: Buffer.from(body).toString('hex') })),
      )
    }),
    { numRuns: 200 },
  )
})

test('hands a body on as it is, without a copy', () => {
  const body = randomBytes(300)
  const order: Order = { do: 'put', piece: 4, sha256: 'ab', offset: 0 }
  assert.is(encodeFrame(order, body)[1], body)
  assert.equal(encodeFrame(order, body)[0], encodeFrameStart(order, 300))
})

test('gives a frame to its reader before the next one has come', async () => {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield Buffer.concat(encodeFrame({ do: 'stay' }))
    throw new Error('the frame was still waited with')
  }
  const { value } = await readFrames<Order>(source()).next()
  assert.equal(value?.header, { do: 'stay' })
})

test('refuses a stream that ends within a frame, wherever that is', async () => {
  const bytes = Buffer.concat([...encodeFrame({ do: 'stay' }), ...encodeFrame({ do: 'put' }, randomBytes(9))])
  const whole = encodeFrame({ do: 'stay' })[0]!.length
  for (let end = 1; end < bytes.length; end++) {
    if (end === whole) continue
    const error = await raised('remote', readAll(bytes.subarray(0, end)))
    assert.match(error.message, 'ends within a message')
  }
})

test('refuses what is no frame at once, without waiting for the bytes that it announces', async () => {
  const limits = { headerBytes: 64, bodyBytes: 100 }
  const lengths = (header: number, body: number) =>
    Buffer.from(new Uint8Array(new Uint32Array([header, body]).buffer))
  const cases: [Uint8Array, RegExp][] = [
    [lengths(65, 0), /announces 65 and 0 bytes, expected 2 to 64 and at most 100/],
    [lengths(2, 101), /announces 2 and 101 bytes/],
    [lengths(0, 0), /announces 0 and 0 bytes/],
    [Buffer.concat([lengths(2, 0), Buffer.from('{]')]), /is no JSON: /],
    [Buffer.concat([lengths(2, 0), Buffer.from('77')]), /is no JSON object/],
    [Buffer.from('Welcome to node-7!\n'), /announces/],
  ]
  for (const [bytes, message] of cases) {
    assert.match((await raised('remote', readAll(bytes, [5], limits))).message, message)
  }
})

test.run()
