import { cp } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { JournalEntry } from '../../lib/domain/record.ts'
import { spoilNodeCopies } from '../support/damage.ts'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { isStep, readJournal, waitForEntry } from '../support/journal.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'

/** A fleet that has three generations. */
type Subject = {
  readonly fleet: Fleet
  readonly journal: string
  /** The number of the generation in service. */
  served: number
}

let subject: Subject
let fleet: Fleet
let journal: string
let other: Fleet

test.before(async () => {
  fleet = await makeSmallFleet()
  for (const name of ['one', 'two', 'three']) {
    await writeQuestions(fleet.path(`${name}.jsonl`), makeQuestions(name, 240))
    assert.is((await fleet.run('split-index', fleet.path(`${name}.jsonl`))).code, 0)
  }
  other = await makeSmallFleet()
  await cp(fleet.path('dgs'), other.path('dgs'), { recursive: true })
  subject = await startSubject(fleet)
  journal = subject.journal
})
test.after(async () => {
  await Promise.all([fleet.stop(), other.stop()])
})

test('continues after kill -9 at every line of the journal, and ends in the right state', async () => {
  // Most of the time an update waits: two fleets share the lines.
  await Promise.all([killAtEverySecond(subject, 0), killAtEverySecond(await startSubject(other), 1)])
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
  await expectServing(fleet, former)
  const { quarantined } = (await fleet.run('status')).json
  assert.is(quarantined.length, 1)
})

test('ends with 130 on Ctrl-C and continues when the same command runs again', async () => {
  const target = findCold(subject)
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
  await expectServing(fleet, target)
})

test('tells a second operator who works on the fleet, since when and doing what', async () => {
  const target = findCold(subject)
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
  await expectServing(fleet, target)
})

function makeSmallFleet(): Promise<Fleet> {
  return makeFleet({ update: { deadlineSeconds: 20, soakSeconds: 0.3, leaseSeconds: 5, keep: 0 } })
}

async function startSubject(fleet: Fleet): Promise<Subject> {
  assert.is((await fleet.run('update-indices', 'dg_1')).code, 0)
  return { fleet, journal: fleet.path('state', 'journal.jsonl'), served: 1 }
}

async function killAtEverySecond(subject: Subject, first: number): Promise<void> {
  const { fleet } = subject
  for (let line = first; ; line += 2) {
    const target = findCold(subject)
    const wasKilled = await killAfter(line, subject, target)
    const again = await fleet.run('update-indices', target)
    assert.is(again.code, 0, `killed after line ${line}: ${again.stdout}\n${again.stderr}`)
    await expectServing(fleet, target)
    if (!wasKilled) {
      assert.ok(line > 15, `only ${line} lines were written`)
      return
    }
  }
}

/** The one of three generations that no service holds: only the one in service and the one before it stay loaded. */
function findCold(subject: Subject): string {
  subject.served = (subject.served % 3) + 1
  return `dg_${subject.served}`
}

/** Starts an update and kills it once it has added more than `lines` lines; false when it ended before that. */
async function killAfter(lines: number, { fleet, journal }: Subject, target: string): Promise<boolean> {
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

async function expectServing(fleet: Fleet, generation: string): Promise<void> {
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
