import { Agent, request } from 'undici'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { startAsking } from '../support/asking.ts'
import { eventually } from '../support/eventually.ts'
import { makeGeneration } from '../support/generation.ts'
import { makeQuestions } from '../support/questions.ts'
import { type SearchSystem, startSearchSystem } from '../support/search-system.ts'
import { call, renderRefs, startService, waitUntilReady } from '../support/services.ts'
import { makeTempDir } from '../support/temp.ts'

const directory = makeTempDir()
const texts = makeQuestions('dg_1', 60).map(({ text }) => text)
let manifest: Manifest
let system: SearchSystem

test.before(async () => {
  manifest = await makeGeneration(directory, { texts, dimensions: 32 })
  system = await startSearchSystem(directory, manifest)
})
test.after(async () => {
  await system.stop()
})

test('loses no request of keep-alive clients when an index task is replaced', async () => {
  const gateway = await system.startGateway()
  await waitUntilReady(gateway)
  const answers = startAsking(gateway.url, texts)
  const env = { DATA_DIR: directory, CLUSTER: '0', GENERATIONS: renderRefs([manifest]) }
  let former = system.indexes.get(0)!
  for (let turn = 0; turn < 3; turn++) {
    await answers.moreThan(30)
    const next = await startService('index', env)
    await system.setEndpoints('index_0', [next.url])
    assert.is(await former.stop(), 0)
    former = next
  }
  await answers.moreThan(30)
  assert.equal(await answers.stop(), [])
  assert.is(await gateway.stop(), 0)
  await former.stop()
})

test('finishes what is in flight after SIGTERM, and takes what still comes on open connections', async () => {
  const index = await startService('index', {
    DATA_DIR: directory,
    CLUSTER: '1',
    GENERATIONS: renderRefs([manifest]),
    LAME_DUCK_MS: '400',
  })
  const agent = new Agent({ connections: 1, keepAliveTimeout: 60_000 })
  const ask = async () => {
    const reply = await request(`${index.url}/v1/check/dg_1`, { dispatcher: agent })
    return { status: reply.statusCode, connection: reply.headers.connection, body: await reply.body.json() }
  }
  assert.is((await ask()).status, 200)
  const inFlight = ask()
  const ended = index.stop()
  await eventually(async () => assert.is((await call(`${index.url}/readyz`)).body.error?.code, 'draining'))
  assert.is((await inFlight).status, 200)
  const late = await ask()
  assert.is(late.status, 200)
  assert.is(late.connection, 'close')
  assert.is(await ended, 0)
  await agent.close()
})

test('ends within its grace period though a client keeps a connection open', async () => {
  const index = await startService('index', {
    DATA_DIR: directory,
    CLUSTER: '1',
    GENERATIONS: renderRefs([manifest]),
    GRACE_MS: '200',
  })
  const agent = new Agent({ connections: 1, keepAliveTimeout: 60_000 })
  await (await request(`${index.url}/healthz`, { dispatcher: agent })).body.dump()
  assert.is(await index.stop(), 0)
  await agent.close()
})

test.run()
