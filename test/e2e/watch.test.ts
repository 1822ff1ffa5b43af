import { execa } from 'execa'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { ROOT } from '../support/shared.ts'

const LONG_MS = 60_000
let fleet: Fleet
test.before(async () => {
  fleet = await makeFleet()
})
test.after(async () => {
  await fleet.stop()
})

/** Watches until it was interrupted after something stood on stdout. */
async function watch(has: RegExp, ...flags: string[]) {
  const args = [
    `${ROOT}scripts/status.mjs`,
    '--watch',
    '--every',
    '0.2',
    '--profile',
    fleet.profile,
    ...flags,
  ]
  const child = execa(process.execPath, args, { reject: false })
  let seen = ''
  child.stdout.on('data', (part: Buffer) => {
    seen += part
  })
  await eventually(() => assert.match(seen, has), LONG_MS)
  child.kill('SIGINT')
  return await child
}

test('status --watch ends with 130 on Ctrl-C', async () => {
  const { exitCode, stdout } = await watch(/serving +nothing/)
  assert.is(exitCode, 130)
  assert.match(stdout, /^\d{4}-\d\d-\d\dT/)
})

test('status --watch --json writes one document a line, the last one too', async () => {
  const { exitCode, stdout } = await watch(/\n.*\n/, '--json')
  assert.is(exitCode, 130)
  const documents = stdout.split('\n').map((line) => JSON.parse(line))
  assert.ok(documents.length > 2)
  assert.equal([documents[0].outcome, documents[0].serving, documents[0].drift], ['done', null, []])
  assert.equal([documents.at(-1).command, documents.at(-1).exitCode], ['status', 130])
})

test('status --publish is refused where the console looks for itself', async () => {
  const { code, json } = await fleet.run('status', '--publish')
  assert.is(code, 2)
  assert.match(json.error.message, /^--publish: /)
})

test.run()
