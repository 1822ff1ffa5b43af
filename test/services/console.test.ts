import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { eventually } from '../support/eventually.ts'
import { makeGeneration } from '../support/generation.ts'
import { type SearchSystem, startSearchSystem } from '../support/search-system.ts'
import { call, type ServiceProcess, waitUntilReady } from '../support/services.ts'
import { makeTempDir } from '../support/temp.ts'

const TOKEN = 'a-token-of-the-console'
const CONSOLE = JSON.stringify({
  profile: 'test',
  tokenDigest: createHash('sha256').update(TOKEN).digest('hex'),
})
const directory = makeTempDir()
let manifest: Manifest
let system: SearchSystem
let gateways: ServiceProcess[]

test.before(async () => {
  manifest = await makeGeneration(directory, { dimensions: 64 })
  system = await startSearchSystem(directory, manifest)
  gateways = [await system.startGateway({ CONSOLE }), await system.startGateway({ CONSOLE })]
  for (const gateway of gateways) await waitUntilReady(gateway)
})
test.after(async () => {
  await system.stop()
})

/** What a console answers to somebody who knows the token, or another one. */
async function ask(path: string, body?: unknown, { gateway = gateways[0]!, token = TOKEN } = {}) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const asked = body === undefined ? { headers } : { headers, method: 'POST', body: JSON.stringify(body) }
  const reply = await fetch(`${gateway.url}/console/v1/${path}`, asked)
  const text = await reply.text()
  return { status: reply.status, body: text === '' ? null : JSON.parse(text) }
}

test('is not there unless it was asked for', async () => {
  const gateway = await system.startGateway()
  await waitUntilReady(gateway)
  for (const path of ['/console', '/console/', '/console/v1/facts']) {
    assert.is((await call(`${gateway.url}${path}`)).status, 404, path)
  }
  await gateway.stop()
})

test('forbids pages everything from elsewhere', async () => {
  const { status, headers } = await fetch(`${gateways[0]!.url}/console/`)
  assert.is(status, 200)
  assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'; script-src 'self';/)
  assert.not.match(headers.get('content-security-policy') ?? '', 'unsafe')
})

test('refuses those who do not know the token, whatever they ask', async () => {
  for (const token of ['', 'x', `${TOKEN} `.repeat(2), TOKEN.slice(0, -1)]) {
    assert.is((await ask('facts', undefined, { token })).status, 401, token)
    assert.is((await ask('facts', { at: '2026', nodes: [] }, { token })).status, 401, token)
    assert.is((await ask('search', { generation: 'dg_1', query: 'x' }, { token })).status, 401, token)
  }
})

test('shows what was published to every gateway, and nothing older after it', async () => {
  assert.equal((await ask('facts')).body, { facts: null })
  await system.setEndpoints(
    'gateway',
    gateways.map(({ url }) => url),
  )
  const newer = { at: '2026-02-02T00:00:00.000Z', profile: 'test', nodes: [], drift: ['news'] }
  await eventually(async () => {
    assert.is((await ask('facts', newer)).status, 204)
    for (const gateway of gateways) {
      assert.equal((await ask('facts', undefined, { gateway })).body.facts?.drift, ['news'])
    }
  })
  await ask('facts', { ...newer, at: '2026-01-01T00:00:00.000Z', drift: ['old'] })
  assert.equal((await ask('facts')).body.facts.drift, ['news'])
})

test('refuses published facts that are none', async () => {
  for (const body of [{}, { at: 5, nodes: [] }, { at: '2026' }, []]) {
    assert.is((await ask('facts', body)).status, 400, JSON.stringify(body))
  }
})

test('answers from a generation by its name, with how it was found', async () => {
  const { status, body } = await ask('search', { generation: 'dg_1', query: 'bicycle chain', k: 3 })
  assert.is(status, 200)
  assert.is(body.generation, 'dg_1')
  assert.is(body.hits.length, 3)
  assert.ok(body.explain.stages.searchMs >= 0)
  const missing = await ask('search', { generation: 'dg_9', query: 'x' })
  assert.is(missing.status, 404)
  assert.is(missing.body.error.message, 'no index service holds dg_9')
  assert.is((await ask('search', { query: 'x' })).status, 400)
  assert.is((await ask('search', { generation: '../dg_1', query: 'x' })).status, 404)
})

test('maps a sample of every cluster, and puts a query beside the items that are like it', async () => {
  const { body } = await ask('map', { generation: 'dg_1' })
  assert.is(
    body.items,
    manifest.clusters.reduce((sum, { items }) => sum + items, 0),
  )
  assert.equal(
    new Set(body.points.map(({ cluster }: { cluster: number }) => cluster)).size,
    manifest.clusters.length,
  )
  const some = body.points.filter(({ text }: { text?: string }) => text).slice(0, 5)
  assert.ok(some.length > 0)
  for (const { text, at } of some) {
    const placed = (await ask('map', { generation: 'dg_1', query: text })).body.query
    assert.ok(Math.hypot(placed[0] - at[0], placed[1] - at[1]) < 1e-3, text)
  }
})

test.run()
