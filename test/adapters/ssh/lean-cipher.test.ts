import { createHash, KeyObject, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { ClientChannel } from 'ssh2'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Connection, connect } from '../../../lib/adapters/ssh/connect.ts'
import { settingsFor, startSshd } from '../../support/sshd.ts'

const MIB = 1024 * 1024
// Keys are changed with every mebibyte.
const sshd = await startSshd(['RekeyLimit 1M'])
test.after(() => sshd.stop())

async function logIn(): Promise<Connection['client']> {
  const settings = settingsFor(sshd)
  const { client } = await connect(settings.nodes[0]!, settings, new AbortController().signal)
  return client
}

function start(client: Connection['client'], command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, opened) => (error ? reject(error) : resolve(opened)))
  })
}

test('encrypts with a key that is made ready once, after the keys were changed, too', async () => {
  const client = await logIn()
  const first = readCipher(client)
  assert.instance(first._encKey, KeyObject)
  const channel = await start(client, 'wc -c')
  channel.end(Buffer.alloc(4 * MIB))
  const [said] = await once(channel, 'data')
  assert.is(String(said), `${4 * MIB}\n`)
  assert.instance(readCipher(client)._encKey, KeyObject)
  assert.is.not(readCipher(client)._encKey, first._encKey)
  client.end()
})

test('sends every byte as it is, while packets wait for other keys and several channels write at once', async () => {
  const client = await logIn()
  const sizes = [8 * MIB, 3 * MIB + 7, 4091, 4092, 1]
  const sums = await Promise.all(
    sizes.map(async (bytes) => {
      const contents = randomBytes(bytes)
      const channel = await start(client, 'sha256sum')
      channel.end(contents)
      const [said] = await once(channel, 'data')
      return [String(said).slice(0, 64), createHash('sha256').update(contents).digest('hex')] as const
    }),
  )
  for (const [found, expected] of sums) assert.is(found, expected)
  client.end()
})

test('uses the memory of a large packet again once it is encrypted, and never before', async () => {
  const client = await logIn()
  const cipher = readCipher(client)
  const waiting = cipher.allocPacket(32_000)
  const other = cipher.allocPacket(32_000)
  assert.is.not(other.buffer, waiting.buffer)
  assert.is((waiting.length - 4) % 16, 0)
  assert.is(waiting.readUInt32BE(0), waiting.length - 4)
  assert.is(waiting[4], waiting.length - 5 - 32_000)
  waiting[5] = 2 // a packet that is to be ignored
  cipher.encrypt(waiting)
  assert.is(cipher.allocPacket(32_000).buffer, waiting.buffer)
  client.destroy()
})

type Cipher = {
  readonly _encKey: unknown
  allocPacket(bytes: number): Buffer
  encrypt(packet: Buffer): void
}

/** What ssh2 encrypts with: an update of it that keeps this elsewhere would be slower and nothing else. */
function readCipher(client: Connection['client']): Cipher {
  return (client as unknown as { _protocol: { _cipher: Cipher } })._protocol._cipher
}

test.run()
