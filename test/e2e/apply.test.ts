import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse, stringify } from 'yaml'
import { type Fleet, makeFleet, TEST_EXTRACTION } from '../support/fleet.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'

let fleet: Fleet
test.before(async () => {
  fleet = await makeFleet({ split: { clusters: 2, goldenQueries: 20 } })
  const input = await writeQuestions(fleet.path('items.jsonl'), makeQuestions('item', 100))
  assert.is((await fleet.run('split-index', input)).code, 0)
  assert.is((await fleet.run('update-indices')).code, 0)
})
test.after(async () => {
  await fleet.stop()
})

test('a fleet that was just updated is as its profile declares', async () => {
  const before = await listTasks()
  const { code, json, stderr } = await fleet.run('apply')
  assert.is(code, 0, stderr)
  assert.is(json.outcome, 'nothing-to-do')
  assert.equal(await listTasks(), before)
})

test('more copies of one kind of service are shown, made, and undone', async () => {
  const before = await listTasks()
  await declare({ extraction: { replicas: 2 } })
  const shown = await fleet.run('apply', '--dry-run')
  assert.equal(shown.json.differences, [{ service: TEST_EXTRACTION, path: 'replicas', from: 1, to: 2 }])
  assert.is(
    parse(await readFile(fleet.path(shown.json.staging), 'utf8')).services[TEST_EXTRACTION].replicas,
    2,
  )
  assert.equal(await listTasks(), before)

  assert.is((await fleet.run('apply')).code, 0)
  const after = await listTasks()
  assert.is(after[TEST_EXTRACTION]?.length, 2)
  assert.equal({ ...after, [TEST_EXTRACTION]: [] }, { ...before, [TEST_EXTRACTION]: [] })
  assert.ok(existsSync(fleet.path('config/former/test/stack.yml')))
  assert.is((await fleet.run('apply')).json.outcome, 'nothing-to-do')

  assert.is((await fleet.run('apply', '--undo')).code, 0)
  assert.is((await listTasks())[TEST_EXTRACTION]?.length, 1)
})

test('a mistake in the profile is refused with its line, and every service stays', async () => {
  const before = await listTasks()
  const text = await readFile(fleet.profile, 'utf8')
  await writeFile(fleet.profile, `${text}indx:\n  replicas: 2\n`)
  const { code, json } = await fleet.run('apply')
  assert.is(code, 2)
  assert.match(json.error.message, /profile\.yml:\d+: indx/)
  await writeFile(fleet.profile, text)
  assert.equal(await listTasks(), before)
})

test.run()

async function declare(members: object): Promise<void> {
  await writeFile(fleet.profile, stringify({ ...parse(await readFile(fleet.profile, 'utf8')), ...members }))
}

/** Ids of the tasks of each service. */
async function listTasks(): Promise<Record<string, string[]>> {
  const { json } = await fleet.run('status')
  const services = json.services as { name: string; tasks: { id: string }[] }[]
  return Object.fromEntries(services.map(({ name, tasks }) => [name, tasks.map(({ id }) => id)]))
}
