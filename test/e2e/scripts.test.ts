import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT_CODES } from '../../lib/domain/errors.ts'
import { type Fleet, makeFleet, startScript } from '../support/fleet.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'
import { ROOT } from '../support/shared.ts'
import { makeTempDir } from '../support/temp.ts'

const COMMANDS = [
  'split-index',
  'deliver',
  'verify',
  'update-indices',
  'rollback',
  'apply',
  'reembed',
  'ingest',
  'migrate',
  'migrate-party',
  'move-service',
  'backup',
  'restore',
  'status',
  'doctor',
  'image',
  'down',
] as const
/** Commands that take nothing for granted. */
const NEEDS_FILE: readonly string[] = ['split-index', 'migrate-party', 'restore']

let fleet: Fleet
test.before(async () => {
  fleet = await makeFleet()
})
test.after(async () => {
  await fleet.stop()
})

for (const command of COMMANDS) {
  test(`${command} --help shows usage, flags and every exit code`, async () => {
    const { code, stdout } = await startScript(command, ['--help'], { cwd: fleet.directory }).ended
    assert.is(code, 0)
    assert.match(stdout, `npx zx scripts/${command}.mjs`)
    for (const flag of ['--profile', '--dry-run', '--yes', '--json', '--quiet', '--help'])
      assert.match(stdout, flag)
    for (const exitCode of [0, ...Object.values(EXIT_CODES)])
      assert.match(stdout, new RegExp(`^ *${exitCode} `, 'm'))
  })

  test(`${command} refuses a flag that it does not know, in one JSON document`, async () => {
    const { code, json } = await fleet.run(command, '--dryrun')
    assert.is(code, 2)
    assert.is(json.command, command)
    assert.is(json.exitCode, 2)
    assert.match(json.error.message, '--dryrun')
    assert.type(json.tookMs, 'number')
  })

  test(`${command} names file, line and key of a wrong profile`, async () => {
    const profile = join(makeTempDir(), 'wrong.yml')
    await writeFile(profile, 'name: x\nnodes: [{name: a}]\nmodel: {name: m}\nnoSuchKey: 1\n')
    const args = ['--profile', profile, '--json', ...(NEEDS_FILE.includes(command) ? ['x.jsonl'] : [])]
    const run = await startScript(command, args, { cwd: fleet.directory }).ended
    assert.is(run.code, 2, run.stderr)
    assert.match(run.json.error.message, `${profile}:4`)
    assert.match(run.json.error.message, 'noSuchKey')
    assert.match(run.json.error.message, 'model.dimensions')
  })
}

test('has a help and a test for every script', async () => {
  const scripts = (await readdir(`${ROOT}scripts`)).filter((name) => name.endsWith('.mjs'))
  assert.equal(scripts.sort(), [...COMMANDS, 'start'].map((name) => `${name}.mjs`).sort())
})

test('tells what is missing when nothing was split yet', async () => {
  for (const command of ['deliver', 'update-indices', 'rollback', 'apply']) {
    const { code, json, stderr } = await fleet.run(command)
    assert.is(code, 10, `${command}: ${stderr}`)
    assert.ok(json.error.hint, command)
  }
})

test('says that a generation or an input does not exist', async () => {
  assert.is((await fleet.run('update-indices', 'dg_77')).code, 10)
  assert.is((await fleet.run('split-index', fleet.path('nowhere.jsonl'))).code, 10)
  assert.is((await fleet.run('update-indices', 'seventy-seven')).code, 2)
})

test('changes services only after a yes where nobody can be asked', async () => {
  const input = await writeQuestions(fleet.path('items.jsonl'), makeQuestions('item', 100))
  const args = ['--profile', fleet.profile, '--json']
  assert.is((await startScript('split-index', [input, ...args], { cwd: fleet.directory }).ended).code, 0)
  const { code, json } = await startScript('update-indices', args, { cwd: fleet.directory }).ended
  assert.is(code, 2)
  assert.match(json.error.hint, '--yes')
})

test('reports the state of a fleet that was never started, and stops nothing without complaint', async () => {
  assert.is((await fleet.run('status')).code, 0)
  const down = await fleet.run('down')
  assert.is(down.code, 0, down.stderr)
  assert.is(down.json.outcome, 'nothing-to-do')
})

test.run()
