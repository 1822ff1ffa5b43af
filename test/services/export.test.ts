import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Manifest, shardFile } from '../../lib/domain/manifest.ts'
import { makeGeneration } from '../support/generation.ts'
import { call, renderRefs, type ServiceProcess, startService } from '../support/services.ts'
import { makeTempDir } from '../support/temp.ts'

const CLUSTER = 1
const directory = makeTempDir()
let manifest: Manifest
let index: ServiceProcess
let lines: string[]

test.before(async () => {
  manifest = await makeGeneration(directory, { name: 'dg_2', payload: (row) => ({ note: 'ü'.repeat(row) }) })
  lines = readFileSync(`${directory}/dg_2/clust_${CLUSTER}/items.jsonl`, 'utf8').split(/(?<=\n)/)
  index = await startService('index', {
    ...{ DATA_DIR: directory, CLUSTER: String(CLUSTER), GENERATIONS: renderRefs([manifest]) },
  })
})
test.after(async () => {
  await index.stop()
})

const ask = (path: string) => call(`${index.url}/v1/export/${path}`)

test('tells what a shard holds, by the words of FindFace and with the hash of its items', async () => {
  const { status, body } = await ask('dg_2')
  const file = manifest.files.find(({ path }) => path === shardFile(CLUSTER, 'items'))!
  assert.is(status, 200)
  assert.equal(body, {
    ...{ generation: 'dg_2', digest: manifest.digest, cluster: CLUSTER, clusters: 3, total: 120 },
    ...{ emben_model: 'lexical-hash', emben_size: 64, objects: lines.length, rows: lines.length },
    ...{ bytes: file.bytes, sha256: file.sha256 },
  })
})

test('gives the lines of a shard in pages that follow each other', async () => {
  const pages: string[] = []
  for (let from = 0; from < lines.length; ) {
    const { status, body, headers } = await ask(`dg_2/items?from=${from}&limit=7`)
    assert.equal([status, headers['x-longshore-digest']], [200, manifest.digest])
    pages.push(String(body))
    from = Number(headers['x-longshore-next'] ?? lines.length)
  }
  assert.is(pages.length, Math.ceil(lines.length / 7))
  assert.is(pages.join(''), lines.join(''))
  assert.is((await ask('dg_2/items')).body, lines.join(''))
  assert.is((await ask(`dg_2/items?from=${lines.length}`)).body, '')
})

test('refuses what is beyond the shard or a page, and a generation that it does not hold', async () => {
  for (const wrong of [
    'from=-1',
    `from=${lines.length + 1}`,
    'limit=0',
    'limit=10001',
    'from=x',
    'from=1&from=2',
  ]) {
    assert.is((await ask(`dg_2/items?${wrong}`)).status, 400, wrong)
  }
  for (const path of ['dg_1', 'dg_1/items', '..%2f..', 'dg_2%2f../items']) {
    const { status, body } = await ask(path)
    assert.equal([status, body.error.code], [409, 'generation_not_served'], path)
  }
})

test('reads few pages at a time, and says when to come again', async () => {
  const answers = await Promise.all(Array.from({ length: 64 }, () => ask('dg_2/items')))
  const refused = answers.filter(({ status }) => status === 503)
  for (const { headers, body } of refused) {
    assert.equal([headers['retry-after'], body.error.code], ['1', 'overloaded'])
  }
  assert.is(answers.filter(({ status }) => status === 200).length + refused.length, 64)
  assert.ok(refused.length < 64)
})

test.run()
