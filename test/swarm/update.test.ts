import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { editVectors, forgeGeneration } from '../support/damage.ts'
import { eventually } from '../support/eventually.ts'
import type { Load } from '../support/load.ts'
import { expectRun, expectServed, type Standing } from './support/expectations.ts'
import { buildFaultyImage, spoilCopy, writeFaults } from './support/faulty-image.ts'
import { createOtherOperator } from './support/other-operator.ts'
import { hasFailed, scenario } from './support/scenario.ts'
import { FLEET, type SwarmFleet, startSwarmFleet } from './support/swarm-fleet.ts'
import { readTaskTimes } from './support/task-times.ts'

const REQUESTS = 100_000
/** What bad generations have to leave: first with the release before beside it, then, gone back to, alone. */
const SECOND: Standing = { serving: 'dg_2', beside: 'dg_1' }
const FIRST: Standing = { serving: 'dg_1' }

let fleet: SwarmFleet
let load: Load | undefined

test.before(async () => {
  // A node more than gateways need in order to move all at once.
  fleet = await startSwarmFleet({
    nodes: 4,
    prepareImage: buildFaultyImage,
    profile: { update: { deadlineSeconds: 20 } },
  })
  for (const name of ['dg_1', 'dg_2', 'dg_4', 'dg_5', 'dg_6', 'dg_7', 'dg_8'])
    await fleet.makeGeneration(name)
  await forgeGeneration(fleet.path('dgs'), { from: 'dg_2', to: 'dg_3' }, async (copy) => {
    await editVectors(`${copy}/centroids.npy`, (values) => values.reverse())
    return undefined
  })
  await writeFaults(fleet.lab, { dg_5: 'crash', dg_6: 'wrong', dg_7: 'unready', dg_8: 'slow' })
})
test.after(async () => {
  await load?.stop()
  await fleet?.stop({ hasFailed: hasFailed() })
})

scenario('serves a first generation on every task', async () => {
  await expectRun(fleet, ['update-indices', 'dg_1'], { code: 0, ...FIRST })
  load = fleet.load()
  await answered(200)
})

scenario('delivers again what a disk has spoiled since its delivery, and moves to it', async () => {
  await expectRun(fleet, ['deliver', 'dg_2'], { code: 0, ...FIRST })
  await spoilCopy(fleet.lab, 'n2', 'dg_2')
  const update = await expectRun(fleet, ['update-indices', 'dg_2'], { code: 0, ...SECOND })
  assert.match(update.stderr, /n2.*dg_2.*delivered again/)
  assert.is((await fleet.run('update-indices', 'dg_2')).json.outcome, 'nothing-to-do')
  await answered(200)
})

scenario('refuses a generation that fails a gate before any node has it', async () => {
  await expectRun(fleet, ['update-indices', 'dg_3'], { code: 13, ...SECOND })
  await expectRun(fleet, ['update-indices', 'dg_3'], { code: 14, ...SECOND })
})

type Return = { readonly words: RegExp; readonly standing: Standing }

/** Updates to a generation whose index services misbehave, and runs the same command again. */
function goesBack(generation: string, what: string, { words, standing }: Return): void {
  scenario(`goes back from an index that ${what}, and refuses it the next time`, async () => {
    const { json } = await expectRun(fleet, ['update-indices', generation], { code: 20, ...standing })
    assert.is(json.outcome, 'rolled-back')
    assert.match(json.error.message, words)
    await expectRun(fleet, ['update-indices', generation], { code: 14, ...standing })
  })
}

goesBack('dg_5', 'crashes on load', { words: /index_\d.*more than this build bears/s, standing: SECOND })
goesBack('dg_7', 'never gets healthy', {
  words: /index_\d.*not ready in time.*is warming up/s,
  standing: SECOND,
})

scenario('rolls back from a machine that has only the profile and a key, and stays there', async () => {
  const start = await createOtherOperator(fleet)
  const startedAt = Date.now()
  const rollback = await start('rollback').ended
  assert.is(rollback.code, 0, rollback.stderr)
  await expectServed(fleet, { serving: 'dg_1', beside: 'dg_2' })
  const times = await readTaskTimes(fleet.lab, `${FLEET}_gateway`)
  const took = Math.max(...times.map(({ readyAt }) => readyAt)) - startedAt
  const starting = Math.min(...times.map(({ createdAt, readyAt }) => readyAt - createdAt))
  const ratio = (took / starting).toFixed(2)
  console.log(
    `rollback: every gateway task on dg_1 ${took} ms after the command, ${ratio} x the start of one (${starting} ms); promised: 2 x`,
  )
  await answered(200)
  await expectRun(fleet, ['update-indices', 'dg_2'], { code: 14, serving: 'dg_1', beside: 'dg_2' })
  assert.is((await start('rollback', '--to', 'dg_1').ended).json.outcome, 'nothing-to-do')
})

scenario('goes back from a generation that one node spoils while it is loaded', async () => {
  const update = fleet.start('update-indices', 'dg_4')
  const node = await eventually(async () => {
    const served = Object.entries(await fleet.readServed('index_0'))
    const found = served.find(([, generations]) => generations.includes('dg_4'))
    if (!found && !update.hasEnded()) throw new Error('no task holds dg_4 yet')
    return found?.[0].split(' ')[0] ?? 'no task held it'
  }, 60_000)
  await spoilCopy(fleet.lab, node, 'dg_4')
  const { code, json, stderr } = await update.ended
  assert.is(code, 20, stderr)
  assert.match(json.error.message, `on ${node} does not answer golden queries of dg_4 rightly`)
  await expectServed(fleet, FIRST)
  await expectRun(fleet, ['update-indices', 'dg_4'], { code: 14, ...FIRST })
})

goesBack('dg_6', 'answers golden queries wrongly', { words: /golden quer/, standing: FIRST })
goesBack('dg_8', 'gets slow', { words: /gateway.*not ready in time/s, standing: FIRST })

scenario('has failed no request and mixed no generations over the whole series', async () => {
  await eventually(() => assert.ok(load!.seen() >= REQUESTS, `${load!.seen()} requests`), 300_000)
  const { requests, failures, mixed, byGeneration } = await load!.stop()
  console.log(`${requests} requests, ${failures.length} failed, ${mixed.length} mixed`, byGeneration)
  assert.equal([failures, mixed], [[], []])
  assert.equal(Object.keys(byGeneration).sort(), ['dg_1', 'dg_2'])
})

test.run()

/** Waits until the load has sent that many more requests. */
async function answered(count: number): Promise<void> {
  const goal = load!.seen() + count
  await eventually(() => assert.ok(load!.seen() >= goal, 'the load stands still'), 30_000)
}
