import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'
import { call } from '../support/services.ts'

const ITEMS = 150
const settings = {
  update: { deadlineSeconds: 100, soakSeconds: 0.3, leaseSeconds: 5 },
  nodes: [{ name: 'node-1' }],
  index: { threads: 1 },
  split: { clusters: 2, goldenQueries: 40 },
}

let ours: Fleet
let theirs: Fleet

test.before(async () => {
  ours = await makeFleet(settings)
  theirs = await makeFleet({ ...settings, name: 'partner' })
  for (const [count, name] of [
    [100, 'former.jsonl'],
    [ITEMS, 'gallery.jsonl'],
  ] as const) {
    const { code, stderr } = await ours.run(
      'split-index',
      await writeQuestions(ours.path(name), makeQuestions('item', count)),
    )
    assert.is(code, 0, stderr)
  }
  const { code, stderr } = await theirs.run(
    'split-index',
    await writeQuestions(theirs.path('own.jsonl'), makeQuestions('own', 120)),
  )
  assert.is(code, 0, stderr)
  assert.is((await theirs.run('update-indices')).code, 0)
})
test.after(async () => {
  await theirs?.stop()
})

test('tells what it would carry, and changes nothing', async () => {
  const dry = await carry(0, '--dry-run')
  assert.equal([dry.generation, dry.carried.name, dry.owner], ['dg_2', 'dg_2', 'guest-9999'])
  assert.equal(await readdir(theirs.path('dgs')), ['dg_1'])
})

test('serves a generation in another fleet under another name and owner, and leaves this fleet as it is', async () => {
  const before = await readManifest(ours, 'dg_2')
  const carried = await carry(0, '--as', 'dg_5')
  assert.equal([carried.outcome, carried.generation, carried.owner], ['done', 'dg_5', 'guest-9999'])
  const manifest = await readManifest(theirs, 'dg_5')
  assert.equal([manifest.generation, manifest.owner, manifest.parent.name], ['dg_5', 'guest-9999', 'dg_1'])
  assert.equal(manifest.files, before.files)
  assert.is.not(manifest.digest, before.digest)
  assert.equal(await readManifest(ours, 'dg_2'), before)
  const { text, id } = makeQuestions('item', ITEMS)[7]!
  const { body } = await call(`${theirs.url}/v1/search`, { query: text, k: 1 })
  assert.equal([body.generation, body.hits[0].id], ['dg_5', id])
})

test('does nothing when it is run again', async () => {
  for (const args of [[], ['--as', 'dg_5']]) {
    const again = await carry(0, ...args)
    assert.equal([again.outcome, again.generation], ['nothing-to-do', 'dg_5'])
  }
  assert.equal((await readdir(theirs.path('dgs'))).sort(), ['dg_1', 'dg_5'])
})

test('refuses a name that means another generation there, and wrong words', async () => {
  const taken = await carry(2, '--as', 'dg_1')
  assert.match(taken.error.message, '--as dg_1: the other fleet has another generation of this name')
  const wrong = await carry(2, '--as', 'next')
  assert.match(wrong.error.message, '"next" is no generation name')
  const missing = await ours.run('migrate-party', 'generation', 'dg_2')
  assert.is(missing.code, 2, missing.stderr)
  assert.match(missing.json.error.message, '--fleet FILE is missing')
  const unknown = await ours.run('migrate-party', 'generation', 'dg_9', '--fleet', theirs.profile)
  assert.is(unknown.code, 10, unknown.stderr)
})

test('continues a run that was killed while it copied, and leaves nothing half-written', async () => {
  const run = ours.start('migrate-party', 'generation', 'dg_1', '--fleet', theirs.profile, '--as', 'dg_7')
  await eventually(async () => {
    const names = await readdir(theirs.path('dgs'))
    assert.ok(run.hasEnded() || names.some((name) => name.startsWith('.dg_7.partial-')))
  }, 60_000)
  run.kill('SIGKILL')
  await run.ended
  const again = await ours.run(
    'migrate-party',
    'generation',
    'dg_1',
    '--fleet',
    theirs.profile,
    '--as',
    'dg_7',
  )
  assert.is(again.code, 0, again.stderr)
  assert.equal((await readdir(theirs.path('dgs'))).sort(), ['dg_1', 'dg_5', 'dg_7'])
})

test('refuses what the gates of the other fleet refuse, which serves what it served', async () => {
  const profile = await readFile(theirs.profile, 'utf8')
  await writeFile(theirs.profile, profile.replace('recall: 0.8', 'recall: 0.8\n  sizeChange: 0.01'))
  const refused = await carry(13, '--as', 'dg_6')
  await writeFile(theirs.profile, profile)
  assert.match(refused.error.message, 'dg_6')
  const { body } = await call(`${theirs.url}/v1/search`, { query: 'anything', k: 1 })
  assert.is(body.generation, 'dg_7')
})

test('carries nothing of a damaged copy', async () => {
  await appendFile(ours.path('dgs', 'dg_2', 'clust_0', 'items.jsonl'), 'x')
  const damaged = await carry(12, '--as', 'dg_8')
  assert.match(damaged.error.message, /dg_2.*clust_0\/items\.jsonl has \d+ bytes, the manifest says \d+/)
  assert.equal((await readdir(theirs.path('dgs'))).sort(), ['dg_1', 'dg_5', 'dg_6', 'dg_7'])
})

test('carries nothing that failed in its own fleet', async () => {
  const failed = await ours.run('update-indices', 'dg_2')
  assert.is(failed.code, 12, failed.stderr)
  const refused = await carry(14, '--as', 'dg_8')
  assert.match(refused.error.message, 'dg_2 is quarantined since')
  assert.equal((await readdir(theirs.path('dgs'))).sort(), ['dg_1', 'dg_5', 'dg_6', 'dg_7'])
})

async function carry(code: number, ...args: string[]) {
  const run = await ours.run(
    'migrate-party',
    ...['generation', 'dg_2', '--fleet', theirs.profile, '--owner', 'guest-9999'],
    ...args,
  )
  assert.is(run.code, code, run.stderr)
  return run.json
}

async function readManifest(fleet: Fleet, name: string) {
  return JSON.parse(await readFile(fleet.path('dgs', name, 'manifest.json'), 'utf8'))
}

test.run()
