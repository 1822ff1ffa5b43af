import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatheringSocket } from '../../../lib/adapters/ssh/socket.ts'
import { eventually } from '../../support/eventually.ts'

const endings: (() => void)[] = []
test.after.each(() => {
  for (const end of endings.splice(0)) end()
})

/** A socket, and the other end of it, which reads nothing yet. */
async function makePair() {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const near = new GatheringSocket()
  near.connectTo((server.address() as AddressInfo).port, '127.0.0.1')
  const [far] = await accepted
  await eventually(() => assert.is(near.readyState, 'open'))
  endings.push(() => {
    near.destroy()
    far.destroy()
    server.close()
  })
  return { near, far }
}

test('sends what is written in one turn at once, in its order', async () => {
  const { near, far } = await makePair()
  const blocks: Buffer[] = []
  far.on('data', (block) => blocks.push(block)).resume()
  for (let count = 0; count < 100; count++) near.write(Buffer.from([count]))
  assert.is(near.writableCorked, 1)
  await eventually(() => assert.is(Buffer.concat(blocks).length, 100))
  assert.is(blocks.length, 1)
  assert.equal([...blocks[0]!], [...Array(100).keys()])
  near.write('later')
  await eventually(() => assert.is(Buffer.concat(blocks).length, 105))
})

test('is drained when the other end has taken what was written, not before', async () => {
  const { near, far } = await makePair()
  let isDrained = false
  let written = 0
  await near.drained()
  // More than kernels keep, however much that is.
  for (; written < 64; written++) near.write(Buffer.alloc(1024 * 1024))
  const drained = near.drained().then(() => {
    isDrained = true
  })
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  assert.is(isDrained, false)
  far.resume()
  await drained
  assert.is(near.writableLength, 0)
})

test('nobody waits for a socket that is closed', async () => {
  const { near } = await makePair()
  for (let count = 0; count < 64; count++) near.write(Buffer.alloc(1024 * 1024))
  const drained = near.drained()
  near.destroy()
  await drained
})

test.run()
