import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ROOT } from '../support/shared.ts'

const PROBE = join(ROOT, 'test/support/probe.mjs')
const ZX = join(ROOT, 'node_modules/zx/build/cli.js')

type Ended = { code: number | null; stdout: string; stderr: string }

/** Runs the probe under zx to its end; each time stderr has one more `wait`, the next signal is sent. */
async function run(args: string[], signals: NodeJS.Signals[] = [], runner = [ZX]): Promise<Ended> {
  const child = spawn(process.execPath, [...runner, PROBE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let seen = ''
  child.stderr.on('data', (piece: Buffer) => {
    seen += piece
    while (signals.length > 0 && seen.includes('waiting')) {
      seen = seen.slice(seen.indexOf('waiting') + 7)
      child.kill(signals.shift())
    }
  })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ])
  return { code: code as number | null, stdout, stderr }
}

test('prints the answer on stdout and the story on stderr', async () => {
  assert.equal(await run(['succeed']), {
    code: 0,
    stdout: 'so far, so good\nline 0\n',
    stderr: 'all is well\n',
  })
})

test('runs under Node.js itself as under zx', async () => {
  assert.equal(await run(['succeed'], [], []), await run(['succeed']))
})

test('tells no story with --quiet', async () => {
  assert.is((await run(['succeed', '--quiet'])).stderr, '')
})

test('says nothing at all with --quiet when there is nothing to do', async () => {
  assert.equal(await run(['rest']), { code: 0, stdout: 'it is done already\n', stderr: '' })
  assert.equal(await run(['rest', '--quiet']), { code: 0, stdout: '', stderr: '' })
  const { stdout } = await run(['rest', '--quiet', '--json'])
  assert.is(JSON.parse(stdout).outcome, 'nothing-to-do')
})

test('tells a failure with --quiet as without', async () => {
  assert.equal(await run(['refuse', '--quiet']), await run(['refuse']))
})

test('shows usage, flags, examples and every exit code with --help', async () => {
  const { code, stdout, stderr } = await run(['--help'])
  assert.is(code, 0)
  assert.is(stderr, '')
  for (const part of ['npx zx scripts/probe.mjs <deed> [flags]', '--lines N', '--dry-run', 'Examples:'])
    assert.match(stdout, part)
  for (const exitCode of [0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 20, 21, 30, 130])
    assert.match(stdout, new RegExp(`^ +${exitCode}  \\w`, 'm'))
})

test('tells a failure with its hint and exit code, without a stack', async () => {
  assert.equal(await run(['refuse']), {
    code: 13,
    stdout: '',
    stderr: 'error: self-routing is 0.06\nhint: repair it\n',
  })
})

test('prints the stack of a bug and exits 1', async () => {
  const { code, stderr } = await run(['break'])
  assert.is(code, 1)
  assert.match(stderr, /TypeError: out of order\n\s+at /)
})

test('exits 70 when an await never settles, instead of 0', async () => {
  const { code, stderr } = await run(['hang'])
  assert.is(code, 70)
  assert.match(stderr, 'ended without an answer')
})

test('exits 2 for wrong usage', async () => {
  const { code, stderr } = await run(['succeed', '--dryrun'])
  assert.is(code, 2)
  assert.match(stderr, 'did you mean --dry-run?')
})

const OUTCOMES: [string[], NodeJS.Signals[], number, string, string | undefined][] = [
  [['succeed'], [], 0, 'done', undefined],
  [['refuse'], [], 13, 'refused', 'gate'],
  [['break'], [], 1, 'failed', 'bug'],
  [['breakLater'], [], 1, 'failed', 'bug'],
  [['hang'], [], 70, 'failed', 'bug'],
  [['succeed', '--wrong'], [], 2, 'failed', 'usage'],
  [[], [], 2, 'failed', 'usage'],
  [['confirm'], [], 2, 'failed', 'usage'],
  [['wait'], ['SIGINT'], 130, 'aborted', 'interrupted'],
  [['wait'], ['SIGTERM'], 130, 'aborted', 'interrupted'],
  [['ignoreInterrupts'], ['SIGINT', 'SIGINT'], 130, 'aborted', 'interrupted'],
]

for (const [args, signals, exitCode, outcome, kind] of OUTCOMES) {
  test(`prints one JSON document when: ${[...args, ...signals].join(' ') || 'nothing was given'}`, async () => {
    const { code, stdout } = await run([...args, '--json'], [...signals])
    const document = JSON.parse(stdout)
    assert.is(code, exitCode)
    assert.is(document.command, 'probe')
    assert.is(document.outcome, outcome)
    assert.is(document.exitCode, exitCode)
    assert.type(document.tookMs, 'number')
    assert.is(document.error?.kind, kind)
  })
}

test('merges the facts of a failure and of an answer into the document', async () => {
  assert.is(JSON.parse((await run(['refuse', '--json'])).stdout).generation, 'dg_1')
  assert.is(JSON.parse((await run(['succeed', '--json'])).stdout).generation, 'dg_2')
})

test('ends although something is left open', async () => {
  assert.is((await run(['leaveHandles'])).code, 0)
})

test('prints a long answer to its end before it exits', async () => {
  const { stdout } = await run(['leaveHandles', '--lines', '200000'])
  assert.is(stdout.trimEnd().split('\n').at(-1), 'line 199999')
})

test('takes a reader that went away as no failure', async () => {
  const child = spawn(process.execPath, [PROBE, 'succeed', '--lines', '200000'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.destroy()
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  assert.is(stderr, 'all is well\n')
  assert.is(code, 0)
})

test.run()
