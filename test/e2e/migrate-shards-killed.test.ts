import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { stringify } from 'yaml'
import { embedLexical } from '../../lib/domain/lexical.ts'
import { readManifest } from '../support/damage.ts'
import { listShards } from '../support/endpoints.ts'
import { eventually } from '../support/eventually.ts'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { type FunctionModel, startFunctionModel } from '../support/function-model.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'

const ITEMS = 150
const BATCH = 16
const FINE = { name: 'lexical-hash', version: 'fine', dimensions: 256, metric: 'cosine', normalized: true }

let old: Fleet
let whole: Fleet
let killed: Fleet
let model: FunctionModel
let proxy: Server
/** What holds up the rest of a shard, and then the rest of the batches, until it resolves. */
const [pages, batches] = [makeGate(), makeGate()]

test.before(async () => {
  model = await startFunctionModel(
    (text) => embedLexical([text], FINE.dimensions),
    async () => {
      if (model.asked.size > 5 * BATCH) await batches.opened
    },
  )
  const update = { deadlineSeconds: 100, soakSeconds: 0.3, leaseSeconds: 5 }
  const shape = { update, split: { clusters: 2, goldenQueries: 40 }, index: { threads: 1 } }
  const extraction = { url: model.url, batchItems: BATCH, inFlight: 1, timeoutSeconds: 100 }
  old = await makeFleet(shape)
  whole = await makeFleet({ ...shape, models: [FINE] })
  killed = await makeFleet({ ...shape, models: [{ ...FINE, extraction }] })
  await expect(
    old,
    'split-index',
    await writeQuestions(old.path('gallery.jsonl'), makeQuestions('item', ITEMS)),
  )
  await expect(old, 'update-indices')
})
test.after(async () => {
  pages.open()
  batches.open()
  proxy?.closeAllConnections()
  proxy?.close()
  for (const fleet of [old, whole, killed]) await fleet.stop()
  await model.stop()
})

test('makes the same generation after kill -9 in the middle of a shard, and of what is embedded', async () => {
  const [first, ...others] = await listShards(old)
  const config = old.path('shards.yml')
  await writeConfig(config, [first!, ...others])
  const args = ['--model', 'lexical-hash@fine', '--config', config] as const
  await expect(whole, 'migrate', ...args)

  const slow = await startSlowShard(first!.master)
  await writeConfig(config, [{ master: slow.url, slaves: [] }, ...others])
  await killOnce(args, () => slow.isHeld())
  const [place] = await readdir(killed.path('state', 'galleries'))
  const listGallery = async () => (await readdir(killed.path('state', 'galleries', place!))).sort()
  assert.ok((await listGallery()).some((name) => name.includes('.partial-')))
  assert.is(model.asked.size, 0)
  pages.open()

  await killOnce(args, () => model.asked.size > 5 * BATCH)
  batches.open()

  const { embedding, generation } = await expect(killed, 'migrate', ...args)
  assert.equal(await listGallery(), ['clust_0.jsonl', 'clust_1.jsonl', 'shards.json'])
  assert.is(embedding.embedded + embedding.items, ITEMS)
  assert.ok(embedding.embedded >= 4 * BATCH, `${embedding.embedded} were kept`)
  const [made, undisturbed] = await Promise.all(
    [killed, whole].map((fleet) => readManifest(fleet.path('dgs', generation))),
  )
  assert.equal(made!.files, undisturbed!.files)
  assert.is(made!.digest, undisturbed!.digest)
})

test.run()

/** Starts the migration, and kills it once something holds. */
async function killOnce(args: readonly string[], isReached: () => boolean): Promise<void> {
  const running = killed.start('migrate', ...args)
  await eventually(() => {
    assert.not(running.hasEnded(), 'it ended before it was killed')
    assert.ok(isReached(), 'it has not come so far')
  }, 110_000)
  running.kill('SIGKILL')
  await running.ended
}

/** Stands before an index service, and gives the first two pages of a shard alone until the gate is open. */
async function startSlowShard(master: string): Promise<{ readonly url: string; isHeld(): boolean }> {
  let isHeld = false
  proxy = createServer(async (request, response) => {
    const { searchParams } = new URL(request.url ?? '', master)
    if (Number(searchParams.get('from') ?? 0) >= 20) {
      isHeld = true
      await pages.opened
    }
    const answer = await fetch(new URL(request.url ?? '', master))
    const body = Buffer.from(await answer.arrayBuffer())
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(body)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, isHeld: () => isHeld }
}

function makeGate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

async function writeConfig(path: string, shards: readonly object[]): Promise<void> {
  const timeouts = { connect: '5s', overall: '100s' }
  await writeFile(path, stringify({ 'storage-api-from': { timeouts, shards }, objects_limit: 10 }))
}

async function expect(fleet: Fleet, script: string, ...args: readonly string[]) {
  const run = await fleet.run(script, ...args)
  assert.is(run.code, 0, `${script} ${args.join(' ')}: ${run.stdout}\n${run.stderr}`)
  return run.json
}
