import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { JournalEntry } from '../../lib/domain/record.ts'
import { spoilNodeCopies } from '../support/damage.ts'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { isStep, readJournal, waitForEntry } from '../support/journal.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'

let fleet: Fleet
let journal: string
let served = 1

test.before(async () => {
  fleet = await makeFleet({ update: { deadlineSeconds: 20, soakSeconds: 0.3, leaseSeconds: 5, keep: 0 } })
  journal = fleet.path('state', 'journal.jsonl')
  for (const name of ['one', 'two', 'three']) {
    await writeQuestions(fleet.path(`${name}.jsonl`), makeQuestions(name, 240))
    assert.is((await fleet.run('split-index', fleet.path(`${name}.jsonl`))).code, 0)
  }
  assert.is((await fleet.run('update-indices', 'dg_1')).code, 0)
})
test.after(async () => {
  await fleet.stop()
})

test('continues after kill -9 at every line of the journal, and ends in the right state', async () => {
  for (let line = 0; ; line++) {
    const target = findCold()
    const wasKilled = await killAfter(line, target)
    const again = await fleet.run('update-indices', target)
    assert.is(again.code, 0, `killed after line ${line}: ${again.stdout}\n${again.stderr}`)
    await expectServing(target)
    if (!wasKilled) {
      assert.ok(line > 15, `only ${line} lines were written`)
      break
    }
  }
})

test('finishes going back after kill -9 in the middle of it, then refuses the generation', async () => {
  await writeQuestions(fleet.path('four.jsonl'), makeQuestions('four', 240))
  assert.is((await fleet.run('split-index', fleet.path('four.jsonl'))).code, 0)
  const former = (await fleet.run('status')).json.serving.generation
  const after = (await readJournal(journal)).length
  const update = fleet.start('update-indices', 'dg_4')
  await waitForEntry(journal, isStep('load'), { after, hasEnded: update.hasEnded })
  await spoilNodeCopies(fleet.path('state', 'nodes'), 'dg_4')
  const isCompensating = (entry: JournalEntry) => entry.event === 'compensate-begin'
  assert.ok(await waitForEntry(journal, isCompensating, { after, hasEnded: update.hasEnded }))
  update.kill('SIGKILL')
  await update.ended
  const again = await fleet.run('update-indices', 'dg_4')
  assert.is(again.code, 14, `${again.stdout}\n${again.stderr}`)
  await expectServing(former)
  const { quarantined } = (await fleet.run('status')).json
  assert.is(quarantined.length, 1)
})

test('ends with 130 on Ctrl-C and continues when the same command runs again', async () => {
  const target = findCold()
  for (const action of ['load', 'switch', 'soak']) {
    const after = (await readJournal(journal)).length
    const update = fleet.start('update-indices', target)
    assert.ok(await waitForEntry(journal, isStep(action), { after, hasEnded: update.hasEnded }), action)
    update.kill('SIGINT')
    const { code, json, stdout } = await update.ended
    assert.is(code, 130, stdout)
    assert.is(json.exitCode, 130)
    assert.is(json.outcome, 'aborted')
  }
  assert.is((await fleet.run('update-indices', target)).code, 0)
  await expectServing(target)
})

test('tells a second operator who works on the fleet, since when and doing what', async () => {
  const target = findCold()
  const after = (await readJournal(journal)).length
  const first = fleet.start('update-indices', target)
  await waitForEntry(journal, () => true, { after, hasEnded: first.hasEnded })
  const second = await fleet.run('update-indices', target)
  assert.is(second.code, 11, `${second.stdout}\n${second.stderr}`)
  assert.is(second.json.outcome, 'refused')
  assert.match(second.json.error.message, new RegExp(`${first.pid}`))
  assert.match(second.json.error.message, `update-indices ${target}`)
  assert.match(second.json.error.message, /\d{4}-\d\d-\d\dT/)
  assert.is((await first.ended).code, 0)
  await expectServing(target)
})

/** The one of three generations that no service holds: only the one in service and the one before it stay loaded. */
function findCold(): string {
  served = (served % 3) + 1
  return `dg_${served}`
}

/** Starts an update and kills it once it has added more than `lines` lines; false when it ended before that. */
async function killAfter(lines: number, target: string): Promise<boolean> {
  const after = (await readJournal(journal)).length
  const update = fleet.start('update-indices', target)
  const isReached = await waitForEntry(journal, (_entry, index) => index >= lines, {
    after,
    hasEnded: update.hasEnded,
  })
  if (isReached) update.kill('SIGKILL')
  const { code } = await update.ended
  return isReached && code !== 0
}

async function expectServing(generation: string): Promise<void> {
  const status = (await fleet.run('status')).json
  assert.is(status.serving.generation, generation)
  assert.equal(status.drift, [])
  for (const service of status.services) {
    for (const task of service.tasks) {
      assert.is(task.state, 'ready')
      if (service.kind === 'index')
        assert.ok(task.generations.some((held: { name: string }) => held.name === generation))
    }
  }
}

test.run()
