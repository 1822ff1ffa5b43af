import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { makeGeneration } from '../support/generation.ts'
import {
  announceBody,
  call,
  readShard,
  renderRefs,
  type ServiceProcess,
  startService,
} from '../support/services.ts'
import { makeTempDir } from '../support/temp.ts'

const directory = makeTempDir()
const DIMENSIONS = 32
const CLUSTER = 1
let old: Manifest
let current: Manifest
let index: ServiceProcess
let rows: Awaited<ReturnType<typeof readShard>>

test.before(async () => {
  old = await makeGeneration(directory, { name: 'dg_1', dimensions: DIMENSIONS })
  current = await makeGeneration(directory, { name: 'dg_2', dimensions: DIMENSIONS })
  rows = await readShard(`${directory}/dg_2`, CLUSTER, DIMENSIONS)
  index = await startService('index', {
    DATA_DIR: directory,
    CLUSTER: String(CLUSTER),
    GENERATIONS: renderRefs([current, old]),
    NODE_NAME: 'node-1',
    TASK_ID: 'index_1.7',
  })
})
test.after(async () => {
  await index.stop()
})

const search = (body: unknown) => call(`${index.url}/v1/search`, body)
const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, at) => sum + value * b[at]!, 0)

test('finds exactly the nearest items of the shard, best first', async () => {
  const queries = rows.slice(0, 3).map(({ vector }) => vector)
  const { status, body } = await search({ generation: 'dg_2', vectors: queries, k: 5 })
  assert.is(status, 200)
  assert.equal(
    { generation: body.generation, digest: body.digest, cluster: body.cluster },
    { generation: 'dg_2', digest: current.digest, cluster: CLUSTER },
  )
  for (const [query, hits] of body.hits.entries()) {
    const expected = rows.map(({ vector }) => dot(vector, queries[query]!)).sort((a, b) => b - a)
    assert.is(hits.length, 5)
    for (const [rank, hit] of hits.entries()) {
      assert.ok(Math.abs(hit.score - expected[rank]!) < 1e-5)
      const row = rows.find(({ id }) => id === hit.id)!
      assert.ok(Math.abs(dot(row.vector, queries[query]!) - hit.score) < 1e-5)
      assert.equal(hit.item, { id: row.id, text: row.text })
    }
  }
})

test('answers the same to float32 bytes as to JSON', async () => {
  const vectors = [rows[3]!.vector, rows[4]!.vector]
  const bytes = new Uint8Array(Float32Array.from(vectors.flat()).buffer)
  const binary = await call(`${index.url}/v1/search?generation=dg_2&k=4`, bytes, 'application/octet-stream')
  assert.is(binary.status, 200)
  const { body } = await search({ generation: 'dg_2', vectors, k: 4 })
  assert.equal(binary.body.hits, body.hits)
  assert.is(body.kind, 'exact')
  for (const { searchMs } of [binary.body, body]) assert.ok(searchMs > 0 && searchMs < 60_000)
})

test('gives at most as many hits as the shard has items', async () => {
  const { body } = await search({ generation: 'dg_2', vectors: [rows[0]!.vector], k: 1000 })
  assert.is(body.hits[0].length, rows.length)
})

test('answers requests that wait together each with its own hits', async () => {
  const answers = await Promise.all(
    rows.map(({ vector }, row) => search({ generation: 'dg_2', vectors: [vector], k: 1 + (row % 3) })),
  )
  for (const [row, { body }] of answers.entries()) {
    assert.is(body.hits[0].length, 1 + (row % 3))
    assert.is(body.hits[0][0].item.text, rows[row]!.text)
  }
})

test('never answers for a generation it does not hold', async () => {
  const { status, body } = await search({ generation: 'dg_3', vectors: [rows[0]!.vector], k: 1 })
  assert.is(status, 409)
  assert.is(body.error.code, 'generation_not_served')
  assert.is((await call(`${index.url}/v1/check/dg_3`)).status, 409)
})

test('keeps resident generations apart', async () => {
  const { body } = await search({ generation: 'dg_1', vectors: [rows[0]!.vector], k: 3 })
  assert.is(body.digest, old.digest)
  assert.ok(body.hits[0].every((hit: { item: { text: string } }) => hit.item.text.startsWith('dg_1 ')))
})

test('refuses what it cannot answer rightly, naming what was expected', async () => {
  const vector = rows[0]!.vector
  const cases: [unknown, number, RegExp][] = [
    [{ generation: 'dg_2', vectors: [vector], k: 0 }, 400, /1 to 1000/],
    [{ generation: 'dg_2', vectors: [vector], k: 1001 }, 400, /1 to 1000/],
    [{ generation: 'dg_2', vectors: [vector], k: 1.5 }, 400, /whole number/],
    [{ generation: 'dg_2', vectors: [vector.slice(1)], k: 1 }, 400, /31 dimensions, expected 32/],
    [{ generation: 'dg_2', vectors: [vector.map(() => 1e300)], k: 1 }, 400, /finite/],
    [{ generation: 'dg_2', vectors: [vector.map(() => null)], k: 1 }, 400, /finite/],
    [{ generation: 'dg_2', vectors: [], k: 1 }, 400, /at least one/],
    [{ vectors: [vector], k: 1 }, 400, /generation/],
    [{ generation: 'dg_2', vectors: new Array(257).fill(vector), k: 1 }, 413, /at most 256/],
    [{ generation: 'dg_2', vectors: new Array(30).fill(vector), k: 1000 }, 413, /hits/],
    ['{"generation":', 400, /./],
  ]
  for (const [body, status, message] of cases) {
    const answer = await search(body)
    assert.is(answer.status, status, JSON.stringify(answer.body))
    assert.match(answer.body.error.message, message)
    assert.type(answer.body.error.code, 'string')
  }
  const nan = new Uint8Array(Float32Array.from(vector.map(() => Number.NaN)).buffer)
  const url = `${index.url}/v1/search?generation=dg_2&k=1`
  assert.is((await call(url, nan, 'application/octet-stream')).status, 400)
  assert.is((await call(url, nan.slice(1), 'application/octet-stream')).body.error.code, 'wrong_dimensions')
})

test('refuses a body that is too large before reading it', async () => {
  assert.is(await announceBody(index.url, '/v1/search', 2_000_000), 413)
})

test('survives any JSON it is sent', async () => {
  const vectors = fc.oneof(fc.jsonValue(), fc.array(fc.array(fc.double(), { maxLength: DIMENSIONS })))
  const body = fc.oneof(
    fc.jsonValue(),
    fc.record({ generation: fc.oneof(fc.constant('dg_2'), fc.string()), vectors, k: fc.jsonValue() }),
  )
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom('/v1/search', '/get_best_from_k'), async (json, path) => {
      const { status } = await call(`${index.url}${path}`, JSON.stringify(json))
      assert.ok(status >= 400 && status < 500, `${status} to ${JSON.stringify(json)}`)
    }),
    { numRuns: 200 },
  )
  assert.is((await search({ generation: 'dg_2', vectors: [rows[0]!.vector], k: 1 })).status, 200)
})

test('answers clients of the reference system with the best match of its newest generation', async () => {
  for (const row of rows.slice(0, 10)) {
    const { body } = await call(`${index.url}/get_best_from_k`, { emb: row.vector })
    assert.equal(body, { best_match: row.text, cluster_id: '1' })
  }
})

test('checks itself against golden queries', async () => {
  const { body } = await call(`${index.url}/v1/check/dg_2`)
  assert.equal(body, {
    generation: 'dg_2',
    digest: current.digest,
    cluster: CLUSTER,
    queries: 30,
    recall: 1,
    passed: true,
  })
})

test('tells what it is and what it serves', async () => {
  const { body } = await call(`${index.url}/v1/status`)
  assert.equal(body, {
    service: 'index',
    task: 'index_1.7',
    node: 'node-1',
    generations: [
      { name: 'dg_2', digest: current.digest },
      { name: 'dg_1', digest: old.digest },
    ],
    inFlight: 1,
    isDraining: false,
    cluster: CLUSTER,
  })
  assert.is((await call(`${index.url}/healthz`)).status, 200)
  assert.is((await call(`${index.url}/readyz`)).status, 200)
  const metrics = await call(`${index.url}/metrics`)
  for (const name of [
    'longshore_requests_total',
    'longshore_request_seconds_bucket',
    'longshore_requests_in_flight',
    'nodejs_eventloop_lag_p99_seconds',
  ]) {
    assert.match(metrics.body, name)
  }
})

test.run()
