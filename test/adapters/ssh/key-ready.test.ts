import { KeyObject } from 'node:crypto'
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

test('encrypts with a key that is made ready once, after the keys were changed, too', async () => {
  const settings = settingsFor(sshd)
  const { client } = await connect(settings.nodes[0]!, settings, new AbortController().signal)
  const first = readKey(client)
  assert.instance(first, KeyObject)
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    client.exec('wc -c', (error, opened) => (error ? reject(error) : resolve(opened)))
  })
  channel.end(Buffer.alloc(4 * MIB))
  const [said] = await once(channel, 'data')
  assert.is(String(said), `${4 * MIB}\n`)
  assert.instance(readKey(client), KeyObject)
  assert.is.not(readKey(client), first)
  client.end()
})

/** What ssh2 encrypts with: an update of it that keeps this elsewhere would be slower and nothing else. */
function readKey(client: Connection['client']): unknown {
  return (client as unknown as { _protocol: { _cipher: { _encKey: unknown } } })._protocol._cipher._encKey
}

test.run()
