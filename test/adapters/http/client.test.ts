import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createHttpClient } from '../../../lib/adapters/http/client.ts'
import { startDeadAddress } from '../../support/dead-address.ts'
import { rejectsWith } from '../../support/errors.ts'
import { startStub } from '../../support/stub-server.ts'

const BODY = { body: 'x', contentType: 'text/plain' }
const LONG_MS = 60_000

let dead: Awaited<ReturnType<typeof startDeadAddress>>

test.before(async () => {
  dead = await startDeadAddress()
})
test.after(async () => {
  await dead.stop()
})

test('hands out any whole answer, whatever its status', async () => {
  const stub = await startStub((path, body) => ({ status: 503, body: `${path} ${body}` }))
  const signal = AbortSignal.timeout(LONG_MS)
  const { status, body } = await createHttpClient().post(`${stub.url}/a`, { ...BODY, signal })
  assert.equal([status, body.toString()], [503, '/a x'])
  await stub.stop()
})

test('heeds a signal also while no connection comes about', async () => {
  const client = createHttpClient({ connectMs: LONG_MS })
  const from = performance.now()
  const asking = client.post(dead.url, { ...BODY, signal: AbortSignal.timeout(200) })
  await rejectsWith(asking, 'remote', /no answer in time/)
  await rejectsWith(client.post(dead.url, { ...BODY, signal: AbortSignal.abort() }), 'remote', /no answer/)
  assert.ok(performance.now() - from < LONG_MS / 2)
})

test('waits no longer for a connection than it may', async () => {
  const from = performance.now()
  const client = createHttpClient({ connectMs: 200 })
  await rejectsWith(client.post(dead.url, { ...BODY, signal: AbortSignal.timeout(LONG_MS) }), 'remote')
  assert.ok(performance.now() - from < LONG_MS / 2)
})

test.run()
