import { readdir, readFile, writeFile } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readManifest } from '../support/damage.ts'
import { eventually } from '../support/eventually.ts'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'
import { call } from '../support/services.ts'

const ITEMS = 240
const SPACE = { name: 'lexical-hash', metric: 'cosine', normalized: true }
/** Sampled, as every item is of so few. */
const HOSTILE = { id: 'item-3', text: '</title><script>alert(1)</script>' }
const price = { perHour: 36_000, currency: 'EUR' }

let fleet: Fleet
let judged: string[]

test.before(async () => {
  fleet = await makeFleet({
    models: [
      { ...SPACE, version: 'fine', dimensions: 256, extraction: { price } },
      { ...SPACE, version: 'coarse', dimensions: 3 },
    ],
    split: { clusters: 3, goldenQueries: 40, threshold: 0.6 },
    gates: { selfRouting: 0.5, recall: 0.5 },
    update: { deadlineSeconds: 100, soakSeconds: 0.3, leaseSeconds: 5 },
  })
  const gallery = makeQuestions('item', ITEMS).map((item) =>
    item.id === HOSTILE.id ? { ...item, text: `${HOSTILE.text} ${item.text}` } : item,
  )
  judged = await writeJudgements(gallery.filter((_, index) => index % 6 === 0))
  await expect(0, 'split-index', await writeQuestions(fleet.path('gallery.jsonl'), gallery))
  await expect(0, 'update-indices')
})
test.after(async () => {
  await fleet.stop()
})

test('tells what it would take from a sample that it really embeds, and changes nothing else', async () => {
  const { former, estimate } = await expect(0, 'migrate', '--model', 'lexical-hash@fine', '--estimate')
  assert.is(former, 'dg_1')
  assert.equal(
    [estimate.items, estimate.contents, estimate.sampled, estimate.currency],
    [ITEMS, ITEMS, 64, 'EUR'],
  )
  assert.ok(estimate.seconds > 0 && estimate.diskBytes > 4 * 256 * ITEMS && estimate.bytes > 40 * ITEMS)
  assert.ok(Math.abs(estimate.cost - 10 * estimate.seconds) < 1e-6)
  const again = await expect(0, 'migrate', '--model', 'lexical-hash@fine', '--estimate')
  assert.is(again.estimate.contents, ITEMS - 64)
  assert.equal(await readdir(fleet.path('dgs')), ['dg_1'])
})

test('keeps a model out of service that finds less than the former one', async () => {
  const { error, gate, comparison, generation } = await expect(
    13,
    'migrate',
    '--model',
    'lexical-hash@coarse',
    ...judged,
  )
  assert.match(error.message, 'finds less than the former model')
  assert.ok(gate.measured > 0.2, JSON.stringify(gate))
  assert.ok(comparison.quality.after.recall.high < comparison.quality.before.recall.low)
  assert.match(error.hint, /report: .*dg_2\.html/)
  const { gates, work } = await readReport('dg_2')
  assert.not(gates[0].passed)
  assert.equal([work.device, work.items, work.rate.at(-1).items], ['cpu', ITEMS, ITEMS])
  const status = await expect(0, 'status')
  assert.is(status.serving.generation, 'dg_1')
  assert.equal(
    status.quarantined.map((bad: { generation: { name: string } }) => bad.generation.name),
    [generation],
  )
  await expect(14, 'update-indices', generation)
})

test('moves the fleet to a model that finds as much, also after kill -9, with a backup of what was served', async () => {
  await killWhileSplitting('--model', 'lexical-hash@fine', '--from', 'dg_1', ...judged)
  const moved = await expect(0, 'migrate', '--model', 'lexical-hash@fine', '--from', 'dg_1', ...judged)
  assert.equal([moved.outcome, moved.former, moved.items], ['done', 'dg_1', ITEMS])
  assert.ok(moved.gate.passed)
  assert.equal(moved.before, { emben_model: 'lexical-hash', emben_size: 64, objects: ITEMS })
  assert.equal(moved.after, { emben_model: 'lexical-hash', emben_size: 256, objects: ITEMS })
  const { body: gallery } = await call(`${fleet.url}/v3/galleries/text/hello`)
  assert.equal(gallery, { name: 'hello', ...moved.after })
  assert.is(moved.comparison.judged, 40)
  const { drift } = moved.comparison
  assert.ok(drift.queries > 10 && drift.overlap > 0.2 && drift.overlap < 1 && drift.rbo > 0.2)
  assert.is((await expect(0, 'status')).serving.generation, moved.generation)
  assert.equal(await readdir(fleet.path('state', 'backups')), ['dg_1.tar'])
})

test('serves by the moved threshold, and reports all that was found, with hostile items as text', async () => {
  const { generation } = (await expect(0, 'status')).serving
  const { threshold, comparison, spaces, gates } = await readReport(generation)
  assert.is(threshold.before.score, 0.6)
  assert.is(threshold.after.score, (await readManifest(fleet.path('dgs', generation))).threshold)
  assert.equal(
    gates.map(({ name, passed }: { name: string; passed: boolean }) => [name, passed]),
    [
      ['modelLoss', true],
      ['threshold', true],
    ],
  )
  assert.equal([comparison.judged, spaces.items, spaces.map.items.length], [40, ITEMS, ITEMS])
  const page = await readFile(fleet.path('state', 'reports', `${generation}.html`), 'utf8')
  assert.ok(page.includes(`${generation} against dg_1`))
  assert.ok(page.includes(`recall@10</td><td>${comparison.quality.before.recall.mean.toFixed(3)} (`))
  assert.not.match(page, /<script/)
  assert.match(page, '&lt;script&gt;alert(1)')

  const hitsOf = async (more: object) => {
    const body = JSON.stringify({ query: 'item how do I choose a sourdough', k: 200, nprobe: 3, ...more })
    const headers = { 'content-type': 'application/json' }
    const reply = await fetch(`${fleet.url}/v1/search`, { method: 'POST', headers, body })
    return ((await reply.json()) as { hits: { score: number }[] }).hits
  }
  const all = await hitsOf({ threshold: null })
  assert.is(all.length, 200)
  assert.equal(
    await hitsOf({}),
    all.filter(({ score }) => score >= threshold.after.score),
  )
})

test('changes nothing when the same is run again, and gives no backup a second time', async () => {
  const again = await expect(0, 'migrate', '--model', 'lexical-hash@fine', '--from', 'dg_1', ...judged)
  assert.equal([again.outcome, again.embedding.calls], ['nothing-to-do', 0])
  await expect(0, 'rollback')
  assert.is((await expect(0, 'status')).serving.generation, 'dg_1')
})

test('refuses what it cannot move or compare, before it begins', async () => {
  await expect(2, 'migrate')
  await expect(10, 'migrate', '--model', 'unheard-of')
  await expect(2, 'migrate', '--model', 'lexical-hash@1', '--from', 'dg_1')
  await expect(2, 'migrate', '--model', 'lexical-hash@fine', ...judged.slice(0, 2))
})

test.run()

/** Kills a migration that has embedded everything and writes the generation, where it is not faster. */
async function killWhileSplitting(...args: string[]): Promise<void> {
  const running = fleet.start('migrate', ...args)
  await eventually(async () => {
    const names = await readdir(fleet.path('dgs'))
    assert.ok(names.some((name) => name.startsWith('.dg_3.partial')) || running.hasEnded())
  }, 100_000)
  running.kill('SIGKILL')
  await running.ended
}

async function readReport(generation: string) {
  return JSON.parse(await readFile(fleet.path('state', 'reports', `${generation}.json`), 'utf8'))
}

async function expect(code: number, script: string, ...args: string[]) {
  const run = await fleet.run(script, ...args)
  assert.is(run.code, code, `${script} ${args.join(' ')}: ${run.stdout}\n${run.stderr}`)
  return run.json
}

/** Queries that are the end of an item's text, each with the item that it is to find. */
async function writeJudgements(
  items: readonly { readonly id: string; readonly text: string }[],
): Promise<string[]> {
  const queries = items.map(({ text }, index) => ({
    id: `q${index}`,
    text: text.split(' ').slice(3).join(' '),
  }))
  await writeFile(fleet.path('queries.jsonl'), queries.map((query) => `${JSON.stringify(query)}\n`).join(''))
  await writeFile(fleet.path('judged.qrels'), items.map(({ id }, index) => `q${index} 0 ${id} 1\n`).join(''))
  return ['--qrels', fleet.path('judged.qrels'), '--queries', fleet.path('queries.jsonl')]
}
