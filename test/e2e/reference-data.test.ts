import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { request } from 'undici'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseNpyHeader } from '../../lib/adapters/files/npy.ts'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { sharedPath } from '../support/shared.ts'

const CLUSTERS = [0, 1, 2, 3]
const DIMENSIONS = 512
const VECTORS_AT = 62 + 45
const VECTOR_BYTES = 1000 * DIMENSIONS * 4

let fleet: Fleet
let embedder: Server

test.before(async () => {
  embedder = await startLookupModel()
  const { port } = embedder.address() as AddressInfo
  fleet = await makeFleet({
    model: { name: 'use', version: '4', dimensions: DIMENSIONS, metric: 'cosine', normalized: true },
    extraction: { url: `http://127.0.0.1:${port}` },
    gates: {},
    split: {},
  })
})
test.after(async () => {
  await fleet.stop()
  await new Promise((resolve) => embedder.close(resolve))
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

/** TF Serving's REST API over a model that knows the texts of both reference generations by heart. */
async function startLookupModel(): Promise<Server> {
  const known = new Map<string, number[]>()
  for (const generation of ['dg_1', 'dg_2']) {
    for (const cluster of CLUSTERS) {
      const directory = sharedPath(`data/hardml/dgs/${generation}/clust_${cluster}`)
      const bytes = await readFile(`${directory}/index`)
      const vectors = new Float32Array(
        Uint8Array.from(bytes.subarray(VECTORS_AT, VECTORS_AT + VECTOR_BYTES)).buffer,
      )
      const sentences = JSON.parse(await readFile(`${directory}/sentences.json`, 'utf8')) as Record<
        string,
        string
      >
      for (const [row, text] of Object.entries(sentences)) {
        known.set(text, [...vectors.subarray(Number(row) * DIMENSIONS, (Number(row) + 1) * DIMENSIONS)])
      }
    }
  }
  const server = createServer((incoming, outgoing) => {
    let text = ''
    incoming.on('data', (data: Buffer) => {
      text += data.toString()
    })
    incoming.on('end', () => {
      const { inputs } = JSON.parse(text) as { inputs: string[] }
      outgoing.setHeader('content-type', 'application/json')
      outgoing.end(
        JSON.stringify({ outputs: inputs.map((each) => known.get(each) ?? known.values().next().value) }),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

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
