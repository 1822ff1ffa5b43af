import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from './support/eventually.ts'
import { longestFirst, SECONDS } from './support/longest-first.ts'
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

/** A file that runs until others have begun, and fails where more than so many of these stand side by side. */
function meeting(own: string, awaited: readonly string[], most = Number.POSITIVE_INFINITY): string {
  return `${HEAD}import { existsSync, globSync, rmSync, writeFileSync } from 'node:fs'
    const check = () => assert.ok(globSync('*.runs').length <= ${most})
    test('a', async () => {
      for (const mark of ['runs', 'seen']) writeFileSync('${own}.' + mark, '')
      check()
      while (!${JSON.stringify(awaited)}.every((other) => existsSync(other + '.seen')))
        await new Promise((resolve) => setTimeout(resolve, 20))
      await new Promise((resolve) => setTimeout(resolve, 100))
      check()
      rmSync('${own}.runs')
    })
    test.run()`
}

test('runs two of a real Swarm side by side beside the rest, and never three', () => {
  const files = {
    'swarm/a.test.ts': meeting('a', ['b', 'other'], 3),
    'swarm/b.test.ts': meeting('b', ['a', 'other'], 3),
    'swarm/c.test.ts': meeting('c', ['d'], 3),
    'swarm/d.test.ts': meeting('d', ['c'], 3),
    'other.test.ts': meeting('other', ['a', 'b', 'c', 'd'], 3),
  }
  const { last, stdout } = runOver(files, ['--swarm', '--jobs', '4', '--labs', '2', '--deadline', '60'])
  assert.is(last, '5 passed, 0 failed', stdout)
})

test('runs one of a real Swarm after the other where it is told so', () => {
  const files = {
    'swarm/a.test.ts': meeting('a', ['other'], 2),
    'swarm/b.test.ts': meeting('b', ['a'], 2),
    'swarm/c.test.ts': meeting('c', ['b'], 2),
    'other.test.ts': meeting('other', ['c'], 2),
  }
  for (const lanes of [
    ['--jobs', '2', '--labs', '2'],
    ['--jobs', '3', '--labs', '1'],
  ]) {
    const { last, stdout } = runOver(files, ['--swarm', ...lanes, '--deadline', '60'])
    assert.is(last, '4 passed, 0 failed', stdout)
  }
})

test('has the lanes of real Swarms help with the rest once none of these is left', () => {
  const files = {
    'swarm/a.test.ts': PASSING,
    'one.test.ts': meeting('one', ['two']),
    'two.test.ts': meeting('two', ['one']),
  }
  const { last, stdout } = runOver(files, ['--swarm', '--jobs', '2', '--deadline', '60'])
  assert.is(last, '4 passed, 0 failed', stdout)
})

test('begins with the files that take longest', () => {
  const files = ['test/a.test.ts', 'test/swarm/verify.test.ts', 'test/swarm/update.test.ts', 'test/b.test.ts']
  assert.equal(longestFirst(files), [
    'test/swarm/update.test.ts',
    'test/swarm/verify.test.ts',
    'test/a.test.ts',
    'test/b.test.ts',
  ])
})

test('knows how long files take that there are', () => {
  assert.equal(
    Object.keys(SECONDS).filter((file) => !existsSync(join(ROOT, 'test', file))),
    [],
  )
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
