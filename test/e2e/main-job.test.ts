import { request } from 'undici'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { editVectors, forgeGeneration, spoilNodeCopies } from '../support/damage.ts'
import { eventually } from '../support/eventually.ts'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { isStep, readJournal, waitForEntry } from '../support/journal.ts'
import { type Load, startLoad } from '../support/load.ts'
import { makeQuestions, type Question, writeQuestions } from '../support/questions.ts'

const galleries = new Map<string, Question[]>([
  ['dg_1', makeQuestions('first', 240)],
  ['dg_2', makeQuestions('second', 260)],
  ['dg_3', makeQuestions('third', 250)],
])

let fleet: Fleet
let load: Load | undefined

test.before(async () => {
  fleet = await makeFleet()
  for (const [name, questions] of galleries) await writeQuestions(fleet.path(`${name}.jsonl`), questions)
})
test.after(async () => {
  await load?.stop()
  await fleet.stop()
})

test('splits, serves and answers from an empty machine', async () => {
  const split = await fleet.run('split-index', fleet.path('dg_1.jsonl'))
  assert.is(split.code, 0, split.stderr)
  assert.is(split.json.generation, 'dg_1')
  assert.is(split.json.items, 240)
  const update = await fleet.run('update-indices')
  assert.is(update.code, 0, update.stderr)
  assert.is(update.json.outcome, 'done')
  const { body } = await request(`${fleet.url}/v1/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: galleries.get('dg_1')![17]!.text, k: 3 }),
  })
  const answer = (await body.json()) as { generation: string; hits: { id: string }[] }
  assert.is(answer.generation, 'dg_1')
  assert.is(answer.hits[0]?.id, 'first-17')
})

test('changes nothing when any command runs twice', async () => {
  const before = await fleet.run('status')
  const commands = [
    ['split-index', fleet.path('dg_1.jsonl')],
    ['deliver'],
    ['update-indices'],
    ['rollback', '--to', 'dg_1'],
  ] as const
  for (const [script, ...args] of commands) {
    const again = await fleet.run(script, ...args)
    assert.is(again.code, 0, again.stderr)
    assert.is(again.json.outcome, 'nothing-to-do', script)
  }
  const after = await fleet.run('status')
  assert.equal(after.json.services, before.json.services)
  assert.equal(after.json.releases, before.json.releases)
})

test('fails no request and mixes no generations through update, refusal, failure and rollback', async () => {
  load = startLoad(fleet.url, galleries)
  await answered(50)

  assert.is((await fleet.run('split-index', fleet.path('dg_2.jsonl'))).code, 0)
  await expect(['update-indices'], 0, 'dg_2')
  await answered(100)

  await forgeGeneration(fleet.path('dgs'), { from: 'dg_2', to: 'dg_7' }, async (copy) => {
    await editVectors(`${copy}/centroids.npy`, (values) => values.reverse())
    return undefined
  })
  await expect(['update-indices', 'dg_7'], 13, 'dg_2')
  await answered(50)

  assert.is((await fleet.run('split-index', fleet.path('dg_3.jsonl'), '--generation', 'dg_8')).code, 0)
  const failed = await updateWhileDisksFail('dg_8')
  assert.is(failed.code, 20, failed.stderr)
  assert.is(failed.json.outcome, 'rolled-back')
  assert.is(await serving(), 'dg_2')
  await answered(50)

  await expect(['update-indices'], 14, 'dg_2')
  await expect(['rollback'], 0, 'dg_1')
  await answered(100)
  await expect(['update-indices', 'dg_2'], 14, 'dg_1')

  const report = await load.stop()
  assert.equal(report.failures, [])
  assert.equal(report.mixed, [])
  assert.equal(Object.keys(report.byGeneration).sort(), ['dg_1', 'dg_2'])
  assert.ok(
    Object.values(report.byGeneration).every((count) => count > 50),
    JSON.stringify(report.byGeneration),
  )
})

async function expect([script, ...args]: readonly [string, ...string[]], code: number, generation: string) {
  const run = await fleet.run(script, ...args)
  assert.is(run.code, code, `${script}: ${run.stdout}\n${run.stderr}`)
  assert.is(run.json.exitCode, code)
  assert.is(await serving(), generation)
}

async function serving(): Promise<string> {
  return (await fleet.run('status')).json.serving.generation
}

/** Waits until the load has sent that many more requests. */
async function answered(count: number): Promise<void> {
  const goal = load!.seen() + count
  await eventually(() => assert.ok(load!.seen() >= goal, 'the load stands still'))
}

async function updateWhileDisksFail(generation: string) {
  const journal = fleet.path('state', 'journal.jsonl')
  const after = (await readJournal(journal)).length
  const update = fleet.start('update-indices', generation)
  await waitForEntry(journal, isStep('load'), { after, hasEnded: update.hasEnded })
  await spoilNodeCopies(fleet.path('state', 'nodes'), generation)
  return await update.ended
}

test.run()
