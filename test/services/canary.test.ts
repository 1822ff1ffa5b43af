import { cp, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { embedLexical } from '../../lib/domain/lexical.ts'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { eventually } from '../support/eventually.ts'
import { makeGeneration, makeModel } from '../support/generation.ts'
import { makeQuestions } from '../support/questions.ts'
import { type SearchSystem, startSearchSystem } from '../support/search-system.ts'
import { call, renderRefs, type ServiceProcess, startService, waitUntilReady } from '../support/services.ts'
import { startStub } from '../support/stub-server.ts'
import { makeTempDir } from '../support/temp.ts'

const DIMENSIONS = 32
const directory = makeTempDir()
const texts = makeQuestions('dg_1', 90).map(({ text }) => text)
let manifest: Manifest
let system: SearchSystem

test.before(async () => {
  manifest = await makeGeneration(directory, { texts, dimensions: DIMENSIONS })
  system = await startSearchSystem(directory, manifest)
})
test.after(async () => {
  await system.stop()
})

/** Waits until a gateway says why it is not ready, in words that contain `message`. */
async function waitForRefusal(gateway: ServiceProcess, code: string, message: RegExp) {
  await eventually(async () => {
    const { status, body } = await call(`${gateway.url}/readyz`)
    assert.is(status, 503)
    assert.is(body.error.code, code)
    assert.match(body.error.message, message)
  })
  const { status, body } = await call(`${gateway.url}/v1/search`, { query: 'anything' })
  assert.is(status, 503)
  assert.is(body.error.code, code)
  assert.is(await gateway.stop(), 0)
}

/** A stand-in for TensorFlow Serving that embeds with a model of its own. */
const startEmbedder = (embed: (text: string) => number[]) =>
  startStub((_path, body) => {
    const { inputs } = JSON.parse(body) as { inputs: string[] }
    return { body: JSON.stringify({ outputs: inputs.map(embed) }) }
  })

/** The model of the system as one that a server at an address embeds under. */
const served = (url: string) =>
  JSON.stringify([{ ...makeModel(DIMENSIONS), server: { url, protocol: 'tf-serving' } }])

test('finds out that another model answers behind the same address', async () => {
  const foreign = await startEmbedder((text) => [...embedLexical([`another seed ${text}`], DIMENSIONS)])
  const gateway = await system.startGateway({ MODELS: served(foreign.url) })
  await waitForRefusal(gateway, 'canary_failed', /failed: model is 0\.\d+, limit >= 0\.99/)
  await foreign.stop()
})

test('finds out that the model has other dimensions', async () => {
  const foreign = await startEmbedder((text) => [...embedLexical([text], DIMENSIONS * 2)])
  const gateway = await system.startGateway({ MODELS: served(foreign.url) })
  await waitForRefusal(gateway, 'canary_failed', /64 dimensions, expected 32/)
  await foreign.stop()
})

test('finds out that the profile declares another model', async () => {
  const gateway = await system.startGateway({
    MODELS: JSON.stringify([{ ...makeModel(DIMENSIONS), version: '2', fingerprint: 'sha256:other' }]),
  })
  await waitForRefusal(gateway, 'canary_failed', /its version is 2, that of dg_1 1/)
})

test("finds out that the users' own queries are not answered as they expect", async () => {
  const elsewhere = makeTempDir()
  const pairs = [{ query: texts[0]!, id: 't0000000000000000' }]
  const other = await makeGeneration(elsewhere, { texts, dimensions: DIMENSIONS, goldenPairs: pairs })
  const own = await startSearchSystem(elsewhere, other)
  await waitForRefusal(await own.startGateway(), 'canary_failed', /failed: golden is 0, limit >= 0\.95/)
  await own.stop()
})

test('waits for what cannot be reached, and becomes ready when it comes', async () => {
  const urls = [system.indexes.get(0)!.url]
  await system.setEndpoints('index_0', [])
  const gateway = await system.startGateway({ TIMEOUT_MS: '300' })
  await eventually(async () => {
    const { body } = await call(`${gateway.url}/readyz`)
    assert.is(body.error.code, 'canary_waiting')
    assert.match(body.error.message, /index_0/)
  })
  await system.setEndpoints('index_0', urls)
  await waitUntilReady(gateway)
  assert.is(await gateway.stop(), 0)
})

test('never takes hits from another content under the same name', async () => {
  const elsewhere = makeTempDir()
  const other = await makeGeneration(elsewhere, { texts: texts.slice(1), dimensions: DIMENSIONS })
  assert.is.not(other.digest, manifest.digest)
  const impostor = await startService('index', {
    DATA_DIR: elsewhere,
    CLUSTER: '1',
    GENERATIONS: renderRefs([other]),
  })
  const { url } = system.indexes.get(1)!
  const gateway = await system.startGateway()
  await waitUntilReady(gateway)
  const ask = () => call(`${gateway.url}/v1/search`, { query: texts[3], nprobe: 3 })

  await system.setEndpoints('index_1', [impostor.url])
  await eventually(async () => {
    const { status, body } = await ask()
    assert.is(status, 502)
    assert.is(body.error.code, 'generation_mismatch')
    assert.is(body.coverage.complete, false)
  })
  await system.setEndpoints('index_1', [impostor.url, url])
  await eventually(async () => assert.is((await ask()).status, 200))
  for (let turn = 0; turn < 4; turn++) assert.is((await ask()).status, 200)
  await system.setEndpoints('index_1', [url])
  await impostor.stop()
  await gateway.stop()
})

test('says so when no task holds its generation', async () => {
  const elsewhere = makeTempDir()
  await cp(join(directory, 'dg_1'), join(elsewhere, 'dg_1'), { recursive: true })
  const other = await makeGeneration(elsewhere, { name: 'dg_2', texts, dimensions: DIMENSIONS })
  const gateway = await system.startGateway({ DATA_DIR: elsewhere, GENERATIONS: renderRefs([other]) })
  await rename(join(elsewhere, 'dg_1'), join(elsewhere, 'moved'))
  await waitForRefusal(gateway, 'canary_waiting', /409: dg_2 is not served here, only dg_1/)
})

test.run()
