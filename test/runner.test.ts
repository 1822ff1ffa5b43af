import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from './support/eventually.ts'
import { ROOT } from './support/shared.ts'
import { makeTempDir } from './support/temp.ts'

const HEAD = `import { test } from 'uvu'\nimport * as assert from 'uvu/assert'\n`
const PASSING = `${HEAD}test('a', () => {})\ntest('b', () => {})\ntest.run()\n`

/** Runs the runner over made-up test files; its exit code, output and last line. */
function runOver(files: Record<string, string>, args: string[] = [], env: Record<string, string> = {}) {
  const root = makeTempDir()
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
  writeFileSync(join(root, 'package.json'), '{"type": "module"}')
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, 'test', name)), { recursive: true })
    writeFileSync(join(root, 'test', name), text)
  }
  const command = [join(ROOT, 'test/run.ts'), '--root', root, ...args]
  const { status, stdout } = spawnSync(process.execPath, command, {
    encoding: 'utf8',
    env: { ...process.env, CI: '', ...env },
  })
  return { root, status, stdout, last: stdout.trimEnd().split('\n').at(-1) }
}

test('sums the totals of all files in its last line', () => {
  const { status, last } = runOver({ 'one.test.ts': PASSING, 'two.test.ts': PASSING })
  assert.is(last, '4 passed, 0 failed')
  assert.is(status, 0)
})

test('runs those of a real Swarm only where it is told to, and sums all together', () => {
  const files = { 'one.test.ts': PASSING, 'swarm/two.test.ts': PASSING }
  assert.is(runOver(files).last, '2 passed, 0 failed')
  assert.is(runOver(files, ['--swarm']).last, '4 passed, 0 failed')
})

test('runs those of a real Swarm one after the other, beside the rest', () => {
  const lab = (before: string[], own: string) =>
    `${HEAD}import { existsSync, writeFileSync } from 'node:fs'
    test('a', async () => {
      for (const other of ${JSON.stringify(before)}) assert.ok(existsSync(other), other)
      assert.not(existsSync('${own}'))
      await new Promise((resolve) => setTimeout(resolve, 100))
      writeFileSync('${own}', '')
    })
    test.run()`
  const other = `${HEAD}import { existsSync } from 'node:fs'
    test('a', async () => {
      while (!existsSync('first')) await new Promise((resolve) => setTimeout(resolve, 20))
    })
    test.run()`
  const files = {
    'swarm/a.test.ts': lab([], 'first'),
    'swarm/b.test.ts': lab(['first'], 'second'),
    'swarm/c.test.ts': lab(['first', 'second'], 'third'),
    'other.test.ts': other,
  }
  const { last, stdout } = runOver(files, ['--swarm', '--jobs', '2', '--deadline', '60'])
  assert.is(last, '4 passed, 0 failed', stdout)
})

test('counts a failed test, prints its output and fails', () => {
  const failing = `${HEAD}test('is kept', () => assert.is(1, 2))\ntest.run()\n`
  const { status, stdout, last } = runOver({ 'bad.test.ts': failing, 'good.test.ts': PASSING })
  assert.is(last, '2 passed, 1 failed')
  assert.is(status, 1)
  assert.match(stdout, 'is kept')
})

test('fails a file whose tests never run', () => {
  const { status, stdout, last } = runOver({ 'none.test.ts': `${HEAD}test('a', () => {})\n` })
  assert.is(last, '0 passed, 1 failed')
  assert.is(status, 1)
  assert.match(stdout, 'no test ran')
})

test('fails a file that crashes before its first test', () => {
  assert.is(runOver({ 'crash.test.ts': `throw new Error('early')\n` }).last, '0 passed, 1 failed')
})

test('fails a file whose process ends with an error after its tests passed', () => {
  const { last } = runOver({ 'late.test.ts': `${PASSING}setTimeout(() => process.exit(3), 200)\n` })
  assert.is(last, '2 passed, 1 failed')
})

test('kills a file that hangs, at its deadline', () => {
  const hanging = `${PASSING}setInterval(() => {}, 1000)\n`
  const { last, stdout } = runOver({ 'hang.test.ts': hanging }, ['--deadline', '2'])
  assert.is(last, '2 passed, 1 failed')
  assert.match(stdout, 'no end after 2 s')
})

test('fails a skipped test in CI and tolerates it elsewhere', () => {
  const skipping = `${HEAD}test('a', () => {})\ntest.${'skip'}('b', () => {})\ntest.run()\n`
  assert.is(runOver({ 'skip.test.ts': skipping }).last, '1 passed, 0 failed')
  assert.is(runOver({ 'skip.test.ts': skipping }, [], { CI: 'true' }).last, '1 passed, 1 failed')
})

test('kills what a test file leaves running, detached processes too', async () => {
  const leaving = [
    `import { spawn } from 'node:child_process'\nimport { writeFileSync } from 'node:fs'`,
    `const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'inherit' })`,
    `writeFileSync(new URL('pid', import.meta.url), String(child.pid))\nchild.unref()`,
    PASSING,
  ].join('\n')
  const { root, last } = runOver({ 'leave.test.ts': leaving })
  assert.is(last, '2 passed, 0 failed')
  const pid = Number(readFileSync(join(root, 'test/pid'), 'utf8'))
  await eventually(() => assert.throws(() => process.kill(pid, 0), /ESRCH/))
})

test('leaves processes without the mark alone', async () => {
  const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  try {
    assert.is(runOver({ 'one.test.ts': PASSING }).status, 0)
    assert.is(bystander.exitCode, null)
    assert.is(bystander.signalCode, null)
  } finally {
    bystander.kill()
  }
})

test('runs the files whose path contains a filter, and fails when none does', () => {
  const files = { 'one.test.ts': PASSING, 'two.test.ts': PASSING }
  assert.is(runOver(files, ['one']).last, '2 passed, 0 failed')
  assert.is(runOver(files, ['three']).status, 1)
})

test.run()
