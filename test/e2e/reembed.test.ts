import { readdir } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createRandom } from '../../lib/domain/random.ts'
import { EmbeddingProcess } from '../support/embedding-process.ts'
import { eventually } from '../support/eventually.ts'
import { type Fleet, makeFleet, type RunningScript } from '../support/fleet.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts'

const DIMENSIONS = 64
const ITEMS = 480
const [BATCH, IN_FLIGHT, KILLS] = [8, 2, 10]
/** Machines that do other work beside are slow. */
const PATIENCE_MS = 100_000

const server = new EmbeddingProcess({ dimensions: DIMENSIONS, delayMs: 20 })
const seed = Date.now() % 1_000_000
const random = createRandom(seed)
let fleet: Fleet
let gallery: string
let disk: SmallDisk | undefined

test.before(async () => {
  await server.start()
  fleet = await makeReembedFleet()
  gallery = await writeQuestions(fleet.path('gallery.jsonl'), makeQuestions('item', ITEMS))
})
test.after(async () => {
  await server.kill()
  disk?.unmount()
})

test('ends as an uninterrupted run does after kill -9 at ten random moments, and redoes at most what was under way', async () => {
  for (let kill = 0; kill < KILLS; kill++) await killOnce(1 + Math.floor((random() * ITEMS) / KILLS))
  const killedLate = await killWhileSplitting()
  const { code, json, stderr } = await reembed(fleet)
  assert.is(code, 0, `seed ${seed}: ${stderr}`)
  assert.is(json.items, ITEMS)
  assert.is(new Set(server.asked).size, ITEMS)
  const redone = server.askedAtLastNew - ITEMS
  assert.ok(redone <= (KILLS + killedLate) * BATCH * IN_FLIGHT, `seed ${seed}: ${redone} were embedded again`)

  const other = await makeReembedFleet()
  const whole = await reembed(other)
  assert.is(whole.code, 0, whole.stderr)
  assert.is(json.digest, whole.json.digest)
  assert.equal(await readdir(fleet.path('dgs')), ['dg_1'])
})

test('asks for nothing when the same is run again', async () => {
  const before = server.asked.length
  const { code, json, stderr } = await reembed(fleet)
  assert.is(code, 0, stderr)
  assert.is(json.outcome, 'nothing-to-do')
  assert.equal([json.embedding.calls, json.embedding.embedded], [0, ITEMS])
  assert.is(server.asked.length, before)
})

test('goes on by itself after its server was killed, was too busy and answered garbage', async () => {
  const other = await makeReembedFleet()
  const before = server.asked.length
  const running = startReembed(other)
  await waitForAsked(running, before + 100)
  await server.kill()
  await server.start()
  await waitForAsked(running, before + 200)
  const busy = { status: 503, headers: { 'retry-after': '0' }, body: '{"error":"queue is full"}' }
  await server.fail([busy, busy, { body: '<html>' }, { body: '{"outputs":[[1,2]]}' }])
  const { code, json, stderr } = await running.ended
  assert.is(code, 0, stderr)
  assert.is(json.items, ITEMS)
  assert.is(json.embedding.dead, 0)
  assert.ok(server.failures >= 4)
})

test('ends and says why where its server asks for an hour of rest, and goes on with the rest', async () => {
  const other = await makeReembedFleet()
  const before = server.asked.length
  const running = startReembed(other)
  await waitForAsked(running, before + 150)
  const rest = { status: 503, headers: { 'retry-after': '3600' }, body: '{"error":"maintenance"}' }
  await server.fail([rest])
  const { code, json } = await running.ended
  assert.is(code, 30)
  assert.match(json.error.message, /left alone for 3\d\d\d s.*maintenance/)
  assert.match(json.error.hint, 'same command again')
  await expectTheRest(other)
})

test('loses nothing when the disk of the ledger is full, and goes on once there is room', async () => {
  const other = await makeReembedFleet()
  disk = mountSmallDisk(other.path('state', 'ledger'), 80_000)
  const { code, json, stdout } = await reembed(other)
  assert.is(code, 30, stdout)
  assert.match(json.error.message, /space|room/)
  assert.equal(await readdir(other.path('dgs')), [])
  disk.resize(8_000_000)
  await expectTheRest(other)
})

test.run()

function makeReembedFleet(): Promise<Fleet> {
  const extraction = { url: server.url, batchItems: BATCH, inFlight: IN_FLIGHT }
  const model = { name: 'stub', version: '1', dimensions: DIMENSIONS, metric: 'cosine', normalized: true }
  return makeFleet({ models: [{ ...model, extraction }] })
}

function startReembed(one: Fleet): RunningScript {
  return one.start('reembed', '--from', gallery, '--model', 'stub')
}

function reembed(one: Fleet) {
  return startReembed(one).ended
}

async function waitForAsked(running: RunningScript, count: number): Promise<void> {
  await eventually(() => assert.ok(server.asked.length >= count || running.hasEnded()), PATIENCE_MS)
}

async function killOnce(after: number): Promise<void> {
  const running = startReembed(fleet)
  await waitForAsked(running, server.asked.length + after)
  running.kill('SIGKILL')
  await running.ended
}

/** Kills a run that has embedded everything and writes the generation; 0 where it was faster. */
async function killWhileSplitting(): Promise<number> {
  const running = startReembed(fleet)
  await eventually(async () => {
    const names = await readdir(fleet.path('dgs'))
    assert.ok(names.some((name) => name.startsWith('.dg_1.partial')) || running.hasEnded())
  }, PATIENCE_MS)
  if (running.hasEnded()) return 0
  running.kill('SIGKILL')
  await running.ended
  return 1
}

/** Runs a command again that was broken off, and expects that it asks for what the ledger lacks alone. */
async function expectTheRest(one: Fleet): Promise<void> {
  const { code, json, stderr } = await reembed(one)
  assert.is(code, 0, stderr)
  assert.is(json.items, ITEMS)
  const { embedded, items } = json.embedding as { embedded: number; items: number }
  assert.ok(embedded > 0, 'nothing was kept')
  assert.is(embedded + items, ITEMS)
}
