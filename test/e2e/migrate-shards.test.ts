import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { stringify } from 'yaml'
import { listShards, type Shard } from '../support/endpoints.ts'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { findFreePort } from '../support/free-port.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'
import { call } from '../support/services.ts'

const ITEMS = 150
const SPACE = { name: 'lexical-hash', metric: 'cosine', normalized: true }
const update = { deadlineSeconds: 100, soakSeconds: 0.3, leaseSeconds: 5 }

let old: Fleet
let fresh: Fleet

test.before(async () => {
  old = await makeFleet({ update, index: { replicas: 2, threads: 1 } })
  const models = [{ ...SPACE, version: 'fine', dimensions: 256 }]
  fresh = await makeFleet({
    update,
    models,
    split: { clusters: 2, goldenQueries: 40 },
    index: { threads: 1 },
  })
  await expect(
    0,
    old,
    'split-index',
    await writeQuestions(old.path('gallery.jsonl'), makeQuestions('item', ITEMS)),
  )
  await expect(0, old, 'update-indices')
})
test.after(async () => {
  await old.stop()
  await fresh.stop()
})

test("moves another fleet's gallery here under another model, with one master dead", async () => {
  const [first, ...others] = await listShards(old)
  const dead = { master: `http://127.0.0.1:${await findFreePort()}`, slaves: first!.slaves }
  const config = await writeConfig({ 'storage-api-from': { shards: [dead, ...others] } })
  const before = await askGallery(old)
  const dry = await migrate(0, config, '--dry-run')
  assert.equal(dry.before, { emben_model: 'lexical-hash', emben_size: 64, objects: ITEMS })
  const moved = await migrate(0, config)
  assert.equal([moved.outcome, moved.before, moved.left], ['done', dry.before, 0])
  assert.equal(moved.after, { emben_model: 'lexical-hash', emben_size: 256, objects: ITEMS })
  assert.equal(before, { name: 'hello', ...moved.before })
  assert.equal(await askGallery(fresh), { name: 'hello', ...moved.after })
  assert.equal(await askGallery(old), before)
  const { text, id } = makeQuestions('item', ITEMS)[7]!
  const { body } = await call(`${fresh.url}/v1/search`, { query: text, k: 1 })
  assert.is(body.hits[0].id, id)
})

test('does nothing when it is run again, and holds what this fleet serves against what was made', async () => {
  const sides = {
    'storage-api-from': { shards: await listShards(old) },
    'storage-api-to': { shards: await listShards(fresh) },
  }
  const again = await migrate(0, await writeConfig(sides))
  assert.equal([again.outcome, again.embedding.calls], ['nothing-to-do', 0])
  sides['storage-api-to'].shards.pop()
  const part = await migrate(2, await writeConfig(sides))
  assert.match(part.error.message, '1 shards are named, dg_1 has 2')
})

test('refuses a shard whose count differs, and leaves both fleets as they are', async () => {
  const [first, ...others] = await listShards(old)
  const proxy = createServer(async (request, response) => {
    const answer = await (await fetch(new URL(request.url ?? '', first!.master))).text()
    response.end(answer.replace(/"objects":(\d+)/, (_, count) => `"objects":${Number(count) + 1}`))
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const counting = { master: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, slaves: [] }
  const config = await writeConfig({ 'storage-api-from': { shards: [counting, ...others] } })
  const before = await askGallery(fresh)
  const run = await migrate(12, config)
  assert.match(run.error.message, `hold ${ITEMS + 1} objects together, dg_1 has ${ITEMS}`)
  assert.equal(await askGallery(fresh), before)
  proxy.close()
})

test('names file, line and key of a wrong file, and refuses flags that do not go with it', async () => {
  const shards = await listShards(old)
  const config = await writeConfig({
    'storage-api-from': { shards: [{ ...shards[0]!, ...{ port: 1 } }, ...shards.slice(1)] },
  })
  const wrong = await migrate(2, config)
  assert.match(wrong.error.message, /shards\.yml:\d+: storage-api-from\.shards\.0\.port: no such key/)
  const flags = await migrate(2, config, '--estimate')
  assert.match(flags.error.message, '--estimate does not go with --config')
})

async function writeConfig(sides: Record<string, { shards: Shard[] }>): Promise<string> {
  const path = fresh.path('shards.yml')
  await writeFile(path, stringify(sides))
  return path
}

async function askGallery(fleet: Fleet) {
  return (await call(`${fleet.url}/v3/galleries/text/hello`)).body
}

/** Moves a gallery under the other model into the new fleet, as a configuration says. */
async function migrate(code: number, config: string, ...flags: string[]) {
  return await expect(code, fresh, 'migrate', '--model', 'lexical-hash@fine', '--config', config, ...flags)
}

async function expect(code: number, fleet: Fleet, script: string, ...args: string[]) {
  const run = await fleet.run(script, ...args)
  assert.is(run.code, code, `${script} ${args.join(' ')}: ${run.stdout}\n${run.stderr}`)
  return run.json
}

test.run()
