import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { embedLexical } from '../../lib/domain/lexical.ts'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { eventually } from '../support/eventually.ts'
import { makeGeneration } from '../support/generation.ts'
import { type SearchSystem, startSearchSystem } from '../support/search-system.ts'
import { call, readShard, type ServiceProcess, waitUntilReady } from '../support/services.ts'
import { makeTempDir } from '../support/temp.ts'

const directory = makeTempDir()
const DIMENSIONS = 64
let manifest: Manifest
let system: SearchSystem
let gateway: ServiceProcess
let items: { id: string; text: string; vector: number[]; cluster: number }[]

test.before(async () => {
  manifest = await makeGeneration(directory, { dimensions: DIMENSIONS })
  const shards = manifest.clusters.map(async ({ id }) => {
    const rows = await readShard(join(directory, 'dg_1'), id, DIMENSIONS)
    return rows.map((row) => ({ ...row, cluster: id }))
  })
  items = (await Promise.all(shards)).flat()
  system = await startSearchSystem(directory, manifest)
  gateway = await system.startGateway()
  await waitUntilReady(gateway)
})
test.after(async () => {
  await system.stop()
})

const search = (body: unknown) => call(`${gateway.url}/v1/search`, body)
const dot = (a: ArrayLike<number>, b: readonly number[]) =>
  b.reduce((sum, value, at) => sum + value * a[at]!, 0)

test('finds the best items of all clusters, and names the generation it answers from', async () => {
  const query = 'how do I clean the bicycle chain in winter'
  const vector = embedLexical([query], DIMENSIONS)
  const { status, headers, body } = await search({ query, k: 7, nprobe: 3 })
  assert.is(status, 200)
  assert.is(headers['x-longshore-generation'], 'dg_1')
  assert.is(body.generation, 'dg_1')
  assert.equal(body.model, { name: 'lexical-hash', version: '1' })
  assert.equal(body.coverage, { asked: 3, answered: 3, complete: true })
  assert.type(body.tookMs, 'number')
  const expected = items.map((item) => dot(vector, item.vector)).sort((a, b) => b - a)
  assert.is(body.hits.length, 7)
  for (const [rank, hit] of body.hits.entries()) {
    const item = items.find(({ id }) => id === hit.id)!
    assert.ok(Math.abs(hit.score - expected[rank]!) < 1e-5)
    assert.is(hit.cluster, item.cluster)
    assert.equal(hit.item, { id: item.id, text: item.text })
  }
})

test('answers a vector as it answers the text it was made from', async () => {
  const query = items[5]!.text
  const byText = await search({ query })
  const byVector = await search({ vector: items[5]!.vector })
  assert.is(byText.body.hits.length, 10)
  assert.equal(byVector.body.hits, byText.body.hits)
  assert.is(byText.body.hits[0].id, items[5]!.id)
})

test('asks as many clusters as the manifest says, or as the request says', async () => {
  const { vector } = items[0]!
  assert.is((await search({ vector })).body.coverage.asked, manifest.routing.nprobe)
  const one = await search({ vector, nprobe: 1, k: 50 })
  assert.is(one.body.coverage.asked, 1)
  assert.is(new Set(one.body.hits.map((hit: { cluster: number }) => hit.cluster)).size, 1)
})

test('refuses what it cannot answer rightly, naming what was expected', async () => {
  const cases: [unknown, RegExp][] = [
    [{}, /either "query" or "vector"/],
    [{ query: 'a', vector: items[0]!.vector }, /either "query" or "vector"/],
    [{ query: 7 }, /query: expected a text/],
    [{ query: 'a', k: 0 }, /k: expected/],
    [{ query: 'a', nprobe: 4 }, /nprobe: expected a whole number from 1 to 3/],
    [{ query: 'a', nporbe: 2 }, /nporbe: no such member/],
    ['{', /./],
    [[], /JSON object/],
  ]
  for (const [body, message] of cases) {
    const answer = await search(body)
    assert.is(answer.status, 400, JSON.stringify(body))
    assert.is(answer.body.error.code, 'bad_request')
    assert.match(answer.body.error.message, message)
  }
  const short = await search({ vector: [1, 2] })
  assert.is(short.status, 400)
  assert.is(short.body.error.code, 'wrong_dimensions')
})

test('answers a batch with a filter, a threshold and distinct texts as comparing all items would', async () => {
  const vectors = [3, 40, 77].map((at) => items[at]!.vector)
  const threshold = 0.05
  const filter = { text: { gte: 'H', lt: 'X' } }
  const limits = { k: 15, nprobe: 3, threshold, filter, dedupe: 'text' }
  const { status, body } = await search({ vectors, ...limits })
  assert.is(status, 200)
  for (const [query, vector] of vectors.entries()) {
    const right = items
      .filter(({ text }) => text >= 'H' && text < 'X')
      .map((item) => ({ ...item, score: dot(item.vector, vector) }))
      .filter(({ score }) => score >= threshold)
      .sort((a, b) => b.score - a.score)
      .slice(0, 15)
    const { hits, coverage } = body.results[query]
    assert.equal(coverage, { asked: 3, answered: 3, complete: true })
    assert.equal(
      hits.map(({ id }: { id: string }) => id),
      right.map(({ id }) => id),
    )
  }
})

test('explains each shard, with what its task says of itself', async () => {
  const { body } = await search({ vector: items[0]!.vector, nprobe: 3, explain: true })
  assert.is(body.explain.shards.length, 3)
  for (const { kind, searchMs, tookMs } of body.explain.shards) {
    assert.is(kind, 'exact')
    assert.ok(searchMs >= 0 && searchMs <= tookMs)
  }
})

test('keeps whole answers, and only while it may', async () => {
  const cached = await system.startGateway({ CACHE_ENTRIES: '10' })
  await waitUntilReady(cached)
  const query = items[0]!.text
  const first = await call(`${cached.url}/v1/search`, { query, nprobe: 3 })
  const { url } = system.indexes.get(1)!
  await system.setEndpoints('index_1', ['http://127.0.0.1:9'])
  const again = await call(`${cached.url}/v1/search`, { query: query.toUpperCase(), nprobe: 3 })
  assert.equal(again.body.hits, first.body.hits)
  let attempts = 0
  await eventually(async () => {
    const body = { query, nprobe: 3, k: 20 + attempts++, partial: 'partial' }
    const other = await call(`${cached.url}/v1/search`, body)
    assert.equal(other.body.coverage, { asked: 3, answered: 2, complete: false, missing: [1] })
    assert.is(other.headers['x-longshore-coverage'], 'partial')
  })
  await system.setEndpoints('index_1', [url])
  await cached.stop()
})

test('survives any JSON it is sent', async () => {
  const body = fc.oneof(
    fc.jsonValue(),
    fc.record({ query: fc.jsonValue(), vector: fc.jsonValue(), k: fc.jsonValue() }, { requiredKeys: [] }),
  )
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom('/v1/search', '/input'), async (json, path) => {
      const { status } = await call(`${gateway.url}${path}`, JSON.stringify(json))
      assert.ok(status < 500, `${status} to ${JSON.stringify(json)}`)
    }),
    { numRuns: 100 },
  )
})

test('answers clients of the reference system with the best match and its cluster', async () => {
  for (const item of items.filter((_, index) => index % 10 === 0)) {
    const { status, body } = await call(`${gateway.url}/input`, { query: item.text })
    assert.is(status, 200)
    assert.equal(body, { best_match: item.text, cluster: String(item.cluster) })
  }
})

test('answers anything but JSON as the reference system does', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', '']) {
    const { status, body } = await call(`${gateway.url}/input`, 'query=a', type)
    assert.is(status, 200)
    assert.is(body, 'Content-Type not supported! Please use JSON with "query" field.')
  }
})

test('describes its gallery as FindFace does', async () => {
  const { body } = await call(`${gateway.url}/v3/galleries/face/questions`)
  assert.equal(body, {
    name: 'questions',
    emben_model: 'lexical-hash',
    emben_size: 64,
    objects: items.length,
  })
})

test('tells what it serves and what its canary queries measured', async () => {
  const { body } = await call(`${gateway.url}/v1/status`)
  assert.equal(body.generations, [{ name: 'dg_1', digest: manifest.digest }])
  assert.is(body.nprobe, manifest.routing.nprobe)
  assert.is(body.canary.state, 'passed')
  assert.ok(body.canary.measures.recall.measured >= 0.9)
  assert.ok(body.canary.measures.model.measured > 0.9999)
})

test('asks another task when one cannot be reached', async () => {
  const { url } = system.indexes.get(0)!
  await system.setEndpoints('index_0', ['http://127.0.0.1:9', url])
  for (let turn = 0; turn < 4; turn++) {
    assert.is((await search({ vector: items[0]!.vector, nprobe: 3 })).status, 200)
  }
  await system.setEndpoints('index_0', [url])
})

test('waits within the deadline for a task that is just being replaced', async () => {
  const { url } = system.indexes.get(2)!
  await system.setEndpoints('index_2', [])
  const answer = search({ vector: items[0]!.vector, nprobe: 3 })
  await system.setEndpoints('index_2', [url])
  assert.is((await answer).status, 200)
})

test('gives no answer rather than part of one', async () => {
  const { url } = system.indexes.get(1)!
  await system.setEndpoints('index_1', ['http://127.0.0.1:9'])
  await eventually(async () => {
    const { status, body } = await search({ vector: items[0]!.vector, nprobe: 3 })
    assert.is(status, 503)
    assert.is(body.error.code, 'incomplete')
    assert.match(body.error.message, /index_1/)
    assert.equal(body.coverage, { asked: 3, answered: 2, complete: false })
  })
  await system.setEndpoints('index_1', [url])
})

test.run()
