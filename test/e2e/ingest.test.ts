import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openInput } from '../../lib/adapters/inputs/open-input.ts'
import { createRandom } from '../../lib/domain/random.ts'
import { EmbeddingProcess } from '../support/embedding-process.ts'
import { eventually } from '../support/eventually.ts'
import { type Fleet, makeFleet, type RunningScript, startScript, TEST_MODEL } from '../support/fleet.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'
import { mountSmallDisk } from '../support/small-disk.ts'

const DIMENSIONS = 64
const [BATCH, IN_FLIGHT] = [16, 2]
const [ITEMS, WORKERS, KILLS] = [2400, 3, 6]
/** Machines that do other work beside are slow. */
const PATIENCE_MS = 200_000

const server = new EmbeddingProcess({ dimensions: DIMENSIONS, delayMs: 15 })
const seed = Date.now() % 1_000_000
const random = createRandom(seed)
const questions = makeQuestions('item', ITEMS)
let fleet: Fleet
let gallery: string

test.before(async () => {
  await server.start()
  fleet = await makeIngestFleet()
  gallery = await writeQuestions(fleet.path('items.jsonl'), questions)
})
test.after(async () => {
  await fleet.stop()
  await server.kill()
})

test('has every item once in the generation after kill -9 of workers at random, with everything sent twice', async () => {
  let running: RunningScript[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    running = running.filter((worker) => !worker.hasEnded())
    while (running.length < WORKERS) running.push(fleet.start('ingest', gallery))
    const enough = server.asked.length + 1 + Math.floor((random() * ITEMS) / KILLS)
    await eventually(
      () => assert.ok(server.asked.length >= enough || running.every((worker) => worker.hasEnded())),
      PATIENCE_MS,
    )
    const victim = running[Math.floor(random() * running.length)]!
    victim.kill('SIGKILL')
    await victim.ended
  }
  for (const { code, stdout } of await Promise.all(running.map(({ ended }) => ended)))
    assert.ok(code === 0 || code === undefined, stdout)
  const last = await fleet.run('ingest', gallery, '--index')
  assert.is(last.code, 0, `seed ${seed}: ${last.stderr}`)
  assert.is(last.json.gallery.items, ITEMS, `seed ${seed}`)
  assert.equal(last.json.queue, { waiting: 0, held: 0 })
  assert.is(last.json.deadLetters.total, 0)
  assert.is(last.json.items, ITEMS)
  assert.is(last.json.generation, 'dg_1')
  assert.equal(await readIds('dg_1'), questions.map(({ id }) => id).sort())
  assert.is(new Set(server.asked).size, ITEMS)
})

test('does nothing where nothing has changed', async () => {
  const before = server.asked.length
  const { code, json, stderr } = await fleet.run('ingest', gallery, '--index')
  assert.is(code, 0, stderr)
  assert.equal([json.outcome, json.generation, json.repeated], ['nothing-to-do', 'dg_1', ITEMS])
  assert.is(server.asked.length, before)
})

test('tells how long a change waits, and serves changed, new and fewer items in the next generation', async () => {
  const fresh = (await fleet.run('status')).json.ingest
  assert.equal([fresh.items, fresh.unserved, fresh.oldestUnserved], [ITEMS, 0, null])
  await writeFile(
    fleet.path('more.jsonl'),
    [
      { id: 'item-0', text: 'a lighthouse' },
      { id: 'new', text: 'a lighthouse' },
      { text: 'no id at all' },
      {},
    ]
      .map((item) => `${JSON.stringify(item)}\n`)
      .join(''),
  )
  const { code, json, stderr } = await fleet.run(
    'ingest',
    fleet.path('more.jsonl'),
    '--remove',
    'item-1,item-2,nobody',
  )
  assert.is(code, 0, stderr)
  assert.equal([json.added, json.replaced, json.removed, json.rejected], [2, 1, 2, 1])
  assert.equal([json.rejects[0].source, json.rejects[0].row], [fleet.path('more.jsonl'), 3])
  assert.equal(json.duplicates.exact, 1)
  assert.equal(json.embedding.stub.items, 2)
  const stale = (await fleet.run('status')).json.ingest
  assert.is(stale.unserved, 5)
  assert.ok(Date.parse(stale.oldestUnserved) <= Date.now() && stale.ageSeconds >= 0)
  const indexed = await fleet.run('ingest', '--index')
  assert.is(indexed.code, 0, indexed.stderr)
  assert.equal(
    [indexed.json.generation, indexed.json.items, indexed.json.embedding.calls],
    ['dg_2', ITEMS, 0],
  )
  const ids = await readIds('dg_2')
  assert.ok(ids.includes('new') && !ids.includes('item-1'))
  assert.is((await fleet.run('status')).json.ingest.unserved, 0)
})

test('goes on after Ctrl-C, with exit code 130, and asks again for no more than was under way', async () => {
  const other = await makeIngestFleet()
  const before = server.asked.length
  const running = other.start('ingest', gallery)
  await eventually(() => assert.ok(server.asked.length >= before + 200 || running.hasEnded()), PATIENCE_MS)
  running.kill('SIGINT')
  const { code, stdout } = await running.ended
  assert.is(code, 130, stdout)
  const rest = await other.run('ingest', gallery)
  assert.is(rest.code, 0, rest.stderr)
  assert.is(rest.json.gallery.items, ITEMS)
  const again = server.asked.length - before - ITEMS
  assert.ok(again >= 0 && again <= BATCH * IN_FLIGHT, `${again} were embedded again`)
})

test('loses nothing when the disk of queue and gallery is full, and goes on once there is room', async () => {
  const other = await makeIngestFleet()
  const disk = mountSmallDisk(other.path('state'), 500_000)
  try {
    const { code, json, stdout } = await other.run('ingest', gallery)
    assert.is(code, 30, stdout)
    assert.match(json.error.message, /space/)
    disk.resize(50_000_000)
    const rest = await other.run('ingest', gallery)
    assert.is(rest.code, 0, rest.stderr)
    assert.is(rest.json.gallery.items, ITEMS)
  } finally {
    disk.unmount()
  }
})

test('keeps what the model refuses and what cannot be fetched as dead letters, and takes them in once they are well', async () => {
  const other = await makeIngestFleet()
  let isWell = false
  const site = createServer((_request, response) => {
    if (isWell) response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('a tall ship')
    else response.writeHead(404).end('gone')
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(site.address() as AddressInfo).port}/ship.txt`
  await mkdir(other.path('texts'))
  await writeFile(other.path('texts', 'a.txt'), 'an anchor')
  try {
    const first = await other.run('ingest', other.path('texts'), url)
    assert.is(first.code, 0, first.stderr)
    assert.equal([first.json.accepted, first.json.dead, first.json.deadLetters.total], [1, 1, 1])
    assert.match(first.json.deadLetters.newest[0].reason, 'status 404')
    isWell = true
    const second = await other.run('ingest', '--retry-dead')
    assert.equal([second.json.accepted, second.json.deadLetters.total], [1, 0])
    assert.is(second.json.gallery.items, 2)
  } finally {
    site.close()
  }
})

test('takes lines from stdin, and only fills the queue where that is asked', async () => {
  const other = await makeIngestFleet()
  const lines = `${JSON.stringify({ id: 'one', text: 'a buoy' })}\nnonsense\n{"id":"two","text":"A  buoy"}\n`
  await appendFile(other.path('lines'), lines)
  const through = ['sh', '-c', 'exec "$@" < lines', 'sh']
  const args = ['-', '--enqueue', '--profile', other.profile, '--json']
  const sent = await startScript('ingest', args, { cwd: other.directory, through }).ended
  assert.is(sent.code, 0, sent.stderr)
  assert.equal([sent.json.accepted, sent.json.queue.waiting, sent.json.rejected], [0, 2, 1])
  const worked = await other.run('ingest')
  assert.equal([worked.json.accepted, worked.json.queue.waiting], [2, 0])
  const { exact, near, nearPairs } = worked.json.duplicates
  assert.equal([exact, near], [0, 1])
  assert.equal([nearPairs[0].id, nearPairs[0].sameAs], ['two', 'one'])
})

test('embeds under every model, so that generations under any of them need no call, and none is made twice', async () => {
  const other = await makeIngestFleet({ models: [TEST_MODEL] })
  const few = await writeQuestions(other.path('few.jsonl'), questions.slice(0, 100))
  const taken = await other.run('ingest', few)
  assert.equal([taken.json.embedding.stub.items, taken.json.embedding['lexical-hash'].items], [100, 100])
  const from = other.path('state', 'gallery')
  const made: unknown[] = []
  for (const model of ['stub', 'lexical-hash', 'stub']) {
    const { json, stderr } = await other.run('reembed', '--from', from, '--model', model)
    assert.is(json.embedding?.calls, 0, stderr)
    made.push([json.outcome, json.generation])
  }
  assert.equal(made, [
    ['done', 'dg_1'],
    ['done', 'dg_2'],
    ['nothing-to-do', 'dg_1'],
  ])
})

test('refuses a file of which nothing is an item, by name and line, and takes in the others', async () => {
  const other = await makeIngestFleet()
  await appendFile(other.path('good.jsonl'), '{"text":"a beacon"}\n')
  await appendFile(other.path('bad.jsonl'), '{"text": broken\n')
  const refused = await other.run('ingest', other.path('good.jsonl'), other.path('bad.jsonl'))
  assert.is(refused.code, 12, refused.stderr)
  assert.match(
    refused.json.error.message,
    /bad\.jsonl: none of 1 rows is an item; the first: line 1: is no JSON/,
  )
  const again = await other.run('ingest', other.path('good.jsonl'))
  assert.equal([again.code, again.json.gallery.items, again.json.deadLetters.total], [0, 1, 0], again.stderr)
})

test('says what it would do, and does none of it', async () => {
  const other = await makeIngestFleet()
  const { code, json } = await other.run('ingest', gallery, '--index', '--dry-run')
  assert.is(code, 0)
  assert.equal(json.sources, { text: ITEMS, file: 0, url: 0, lacking: 0, rejected: 0 })
  assert.is((await other.run('status')).json.ingest, null)
})

test.run()

function makeIngestFleet(others: Record<string, unknown> = {}): Promise<Fleet> {
  const extraction = { url: server.url, batchItems: BATCH, inFlight: IN_FLIGHT, timeoutSeconds: 60 }
  const model = { name: 'stub', version: '1', dimensions: DIMENSIONS, metric: 'cosine', normalized: true }
  const gates = { selfRouting: 0.5, recall: 0.5, golden: 0.5, duplicates: 1 }
  return makeFleet({ model, extraction, gates, ...others })
}

async function readIds(generation: string): Promise<string[]> {
  const ids: string[] = []
  for await (const { items } of (await openInput(fleet.path('dgs', generation))).read(
    new AbortController().signal,
  ))
    ids.push(...(items as readonly { id: string }[]).map(({ id }) => id))
  return ids.sort()
}
