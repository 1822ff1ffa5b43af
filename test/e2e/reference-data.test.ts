import { readFile } from 'node:fs/promises'
import { request } from 'undici'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseNpyHeader } from '../../lib/adapters/files/npy.ts'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { CLUSTERS, DIMENSIONS, readHardml, VECTOR_BYTES, VECTORS_AT } from '../support/hardml.ts'
import { type LookupModel, startLookupModel } from '../support/lookup-model.ts'
import { sharedPath } from '../support/shared.ts'

let fleet: Fleet
let embedder: LookupModel

test.before(async () => {
  embedder = await startLookupModel(await readHardml())
  fleet = await makeFleet({
    model: { name: 'use', version: '4', dimensions: DIMENSIONS, metric: 'cosine', normalized: true },
    extraction: { url: embedder.url },
    gates: {},
    split: {},
  })
})
test.after(async () => {
  await fleet.stop()
  await embedder.stop()
})

test('refuses dg_1, whose centroids are not those of its shards, and says by how much', async () => {
  const { code, json, stderr } = await fleet.run('split-index', sharedPath('data/hardml/dgs/dg_1'))
  assert.is(code, 13, stderr)
  const gate = json.gates.find((each: { name: string }) => each.name === 'selfRouting')
  assert.is(gate.passed, false)
  assert.ok(Math.abs(gate.measured - 0.062) < 0.002, `${gate.measured}`)
  assert.match(json.error.message, 'selfRouting')
})

test('takes dg_1 once its centroids are repaired', async () => {
  const { code, json, stderr } = await fleet.run(
    'split-index',
    sharedPath('data/hardml/dgs/dg_1'),
    '--repair',
    'centroids',
    '--generation',
    'dg_1',
  )
  assert.is(code, 0, stderr)
  assert.is(json.items, 4000)
})

test('imports dg_2 bit by bit', async () => {
  const { code, json, stderr } = await fleet.run('split-index', sharedPath('data/hardml/dgs/dg_2'))
  assert.is(code, 0, stderr)
  assert.is(json.generation, 'dg_2')
  assert.is(json.items, 4000)
  for (const cluster of CLUSTERS) {
    const source = await readFile(sharedPath(`data/hardml/dgs/dg_2/clust_${cluster}/index`))
    const shard = await readFile(fleet.path('dgs', 'dg_2', `clust_${cluster}`, 'vectors.npy'))
    const { dataOffset, shape } = parseNpyHeader(shard, 'vectors.npy')
    assert.equal(shape, [1000, DIMENSIONS])
    assert.is(dataOffset % 64, 0)
    assert.ok(shard.subarray(dataOffset).equals(source.subarray(VECTORS_AT, VECTORS_AT + VECTOR_BYTES)))
  }
})

test('answers the reference clients, with the best match', async () => {
  const update = await fleet.run('update-indices', 'dg_2')
  assert.is(update.code, 0, `${update.stdout}\n${update.stderr}`)
  const query = 'Should India put a legislation on brain drains?'
  const answer = await post(`${fleet.url}/input`, { query })
  assert.equal(await answer.json(), { best_match: query, cluster: '0' })
  const { body } = await request(`${fleet.url}/input`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: query,
  })
  assert.is(await body.text(), 'Content-Type not supported! Please use JSON with "query" field.')
})

async function post(url: string, content: unknown) {
  const { statusCode, body } = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(content),
  })
  assert.is(statusCode, 200)
  return body
}

test.run()
