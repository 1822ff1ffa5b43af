import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { editVectors } from '../support/damage.ts'
import { eventually } from '../support/eventually.ts'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { isStep, readJournal, waitForEntry } from '../support/journal.ts'
import { type Load, startLoad } from '../support/load.ts'
import { makeQuestions, type Question, writeQuestions } from '../support/questions.ts'
import { type ResidentsWatch, watchResidents } from '../support/watch-residents.ts'

const galleries = new Map<string, Question[]>([
  ['dg_1', makeQuestions('first', 200)],
  ['dg_2', makeQuestions('second', 210)],
  ['dg_3', makeQuestions('third', 190)],
  ['dg_4', makeQuestions('fourth', 205)],
])
const GROUP_NODES = { a: 'node-1', b: 'node-2' } as const

let fleet: Fleet
let load: Load | undefined
let watch: ResidentsWatch | undefined

test.before(async () => {
  fleet = await makeFleet({
    index: { replicas: 2 },
    split: { clusters: 2, goldenQueries: 40 },
    update: { strategy: 'replica-groups', deadlineSeconds: 60, soakSeconds: 0.3, leaseSeconds: 5 },
  })
  for (const [name, questions] of galleries) await writeQuestions(fleet.path(`${name}.jsonl`), questions)
})
test.after(async () => {
  await load?.stop()
  await watch?.stop()
  await fleet.stop()
})

test('starts a service for each half of the replicas of a shard', async () => {
  await split('dg_1')
  await expect(['update-indices'], 0, 'dg_1')
  assert.equal(await holdings(), {
    index_0: ['dg_1'],
    index_0_b: ['dg_1'],
    index_1: ['dg_1'],
    index_1_b: ['dg_1'],
  })
  assert.is((await fleet.run('update-indices')).json.outcome, 'nothing-to-do')
})

test('fails no request, mixes no generations and crowds no node through update, failures and rollback', async () => {
  load = startLoad(fleet.url, galleries)
  watch = watchResidents(fleet.path('state'))
  await answered(50)

  await split('dg_2')
  await expect(['update-indices'], 0, 'dg_2')
  await answered(50)

  await split('dg_3')
  await expectFailure('dg_3', { step: 'load', node: GROUP_NODES.b })
  await answered(50)

  await split('dg_4')
  await expectFailure('dg_4', { step: 'soak', node: GROUP_NODES.a })
  await answered(50)

  await expect(['rollback'], 0, 'dg_1')
  assert.ok(Object.values(await holdings()).every(([name, ...more]) => name === 'dg_1' && more.length === 0))
  await answered(50)

  const report = await load.stop()
  assert.equal(report.failures, [])
  assert.equal(report.mixed, [])
  // What failed after the switch had been in service for a moment.
  assert.equal(Object.keys(report.byGeneration).sort(), ['dg_1', 'dg_2', 'dg_4'])
  assert.ok(watch.looks() > 50, String(watch.looks()))
  assert.equal(await watch.stop(), [])
})

async function split(name: string): Promise<void> {
  const run = await fleet.run('split-index', fleet.path(`${name}.jsonl`))
  assert.is(run.code, 0, run.stderr)
  assert.is(run.json.generation, name)
}

async function expect([script, ...args]: readonly [string, ...string[]], code: number, generation: string) {
  const run = await fleet.run(script, ...args)
  assert.is(run.code, code, `${script}: ${run.stdout}\n${run.stderr}`)
  assert.is((await fleet.run('status')).json.serving.generation, generation)
}

/** An update in whose middle the disk of one node turns bad, once the given step has begun: dg_2 serves again. */
async function expectFailure(name: string, { step, node }: { step: string; node: string }): Promise<void> {
  const journal = fleet.path('state', 'journal.jsonl')
  const after = (await readJournal(journal)).length
  const run = fleet.start('update-indices', name)
  await waitForEntry(journal, isStep(step), { after, hasEnded: run.hasEnded })
  const copy = fleet.path('state', 'nodes', node, name)
  for (const shard of ['clust_0', 'clust_1']) {
    await editVectors(join(copy, shard, 'vectors.npy'), (values) => values.reverse())
  }
  const { code, json, stderr } = await run.ended
  assert.is(code, 20, stderr)
  assert.is(json.outcome, 'rolled-back')
  assert.ok(Object.values(await holdings()).every(([held, ...more]) => held === 'dg_2' && more.length === 0))
}

type Status = { services: { name: string; kind: string; tasks: { generations: { name: string }[] }[] }[] }

/** What the tasks of each index service tell to hold. */
async function holdings(): Promise<Record<string, string[]>> {
  const { services } = (await fleet.run('status')).json as Status
  const indexes = services.filter(({ kind }) => kind === 'index')
  return Object.fromEntries(
    indexes.map(({ name, tasks }) => [
      name,
      tasks.flatMap(({ generations }) => generations.map((one) => one.name)),
    ]),
  )
}

/** Waits until the load has sent that many more requests. */
async function answered(count: number): Promise<void> {
  const goal = load!.seen() + count
  await eventually(() => assert.ok(load!.seen() >= goal, 'the load stands still'), 60_000)
}

test.run()
