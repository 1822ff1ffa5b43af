import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startThread } from '../../../lib/adapters/generations/thread.ts'
import { ROOT } from '../../support/shared.ts'
import { makeTempDir } from '../../support/temp.ts'

const THREAD = `file://${ROOT}lib/adapters/generations/thread.ts`

/** A thread that answers at once, and then does something that cannot be interrupted. */
const ANSWERS = `
import { execFileSync, spawnSync } from 'node:child_process'
import { answerCalls } from '${THREAD}'
const block = () => { for (let turn = 0; turn < 10; turn++) execFileSync(process.execPath, ['--eval', '']) }
answerCalls({ ready: () => 1, ask: () => (setImmediate(block), 1) })
`

const STOPS = `
import { execFileSync, spawnSync } from 'node:child_process'
import { startThread } from '${THREAD}'
const thread = startThread(new URL('answers.mjs', import.meta.url))
await thread.call('ready')
const answered = thread.call('ask')
// Lets the answer come, and leaves it unread.
execFileSync(process.execPath, ['--eval', ''])
await Promise.all([thread.stop(), answered.catch(() => undefined)])
console.log('stopped')
`

test('waits for the end of a thread that is stopped, also when its last answer comes meanwhile', () => {
  const directory = makeTempDir()
  writeFileSync(join(directory, 'answers.mjs'), ANSWERS)
  writeFileSync(join(directory, 'stops.mjs'), STOPS)
  const told = execFileSync(process.execPath, [join(directory, 'stops.mjs')], { encoding: 'utf8' })
  assert.is(told, 'stopped\n')
})

/** A thread that tells when it begins to load, and then takes its time over it. */
const LOADS = `
import { writeFileSync } from 'node:fs'
import { answerCalls } from '${THREAD}'
writeFileSync(new URL('loading', import.meta.url), '')
for (const end = performance.now() + 300; performance.now() < end; );
writeFileSync(new URL('loaded', import.meta.url), '')
answerCalls({})
`

const ENDS = `
import { existsSync } from 'node:fs'
import { startThread } from '${THREAD}'
const thread = startThread(new URL('loads.mjs', import.meta.url))
const timer = setInterval(async () => {
  if (!existsSync(new URL('loading', import.meta.url))) return
  clearInterval(timer)
  if (process.argv[2] === 'stop') await thread.stop()
  process.exit(7)
}, 1)
`

for (const how of ['exit', 'stop']) {
  test(`lets a thread load its native code before it is ended by ${how}, which would end the process too`, () => {
    const directory = makeTempDir()
    writeFileSync(join(directory, 'loads.mjs'), LOADS)
    writeFileSync(join(directory, 'ends.mjs'), ENDS)
    const { status } = spawnSync(process.execPath, [join(directory, 'ends.mjs'), how])
    assert.is(status, 7)
    assert.ok(existsSync(join(directory, 'loaded')), 'ended before it was loaded')
  })
}

/** A thread that tells when it begins to run native code, and then takes its time over it. */
const RUNS = `
import { writeFileSync } from 'node:fs'
import { answerCalls } from '${THREAD}'
import { runNative } from 'file://${ROOT}lib/adapters/process/thread-state.ts'
answerCalls({})
// Later than the end of its loading.
setTimeout(() => runNative(() => {
  writeFileSync(new URL('loading', import.meta.url), '')
  for (const end = performance.now() + 300; performance.now() < end; );
  writeFileSync(new URL('loaded', import.meta.url), '')
}), 100)
`

for (const how of ['exit', 'stop']) {
  test(`lets native code that a thread runs come to its end before the thread is ended by ${how}`, () => {
    const directory = makeTempDir()
    writeFileSync(join(directory, 'loads.mjs'), RUNS)
    writeFileSync(join(directory, 'ends.mjs'), ENDS)
    const { status } = spawnSync(process.execPath, [join(directory, 'ends.mjs'), how])
    assert.is(status, 7)
    assert.ok(existsSync(join(directory, 'loaded')), 'ended in the middle')
  })
}

/** A thread that loads native code later than at its start, and takes its time over it. */
const LOADS_LATER = `
import { answerCalls } from '${THREAD}'
import { loadNative } from 'file://${ROOT}lib/adapters/process/thread-state.ts'
answerCalls({})
setTimeout(() => loadNative(() => import(new URL('native.mjs', import.meta.url))), 100)
`

const NATIVE = `
import { writeFileSync } from 'node:fs'
writeFileSync(new URL('loading', import.meta.url), '')
for (const end = performance.now() + 300; performance.now() < end; );
writeFileSync(new URL('loaded', import.meta.url), '')
`

for (const how of ['exit', 'stop']) {
  test(`lets a thread load native code that it needs later before it is ended by ${how}`, () => {
    const directory = makeTempDir()
    writeFileSync(join(directory, 'native.mjs'), NATIVE)
    writeFileSync(join(directory, 'loads.mjs'), LOADS_LATER)
    writeFileSync(join(directory, 'ends.mjs'), ENDS)
    const { status } = spawnSync(process.execPath, [join(directory, 'ends.mjs'), how])
    assert.is(status, 7)
    assert.ok(existsSync(join(directory, 'loaded')), 'ended in the middle')
  })
}

/** A thread that crashes outside of its answers. */
const CRASHES = `
import { answerCalls } from '${THREAD}'
answerCalls({ crash: () => (setImmediate(() => { throw new Error('on purpose') }), new Promise(() => {})) })
`

test('fails what a thread was asked that crashes, also later, and tells the reason', async () => {
  const directory = makeTempDir()
  writeFileSync(join(directory, 'crashes.mjs'), CRASHES)
  const lost: string[] = []
  const thread = startThread<{ crash: () => void }>(
    new URL(`file://${directory}/crashes.mjs`),
    ({ message }) => lost.push(message),
  )
  const ask = () =>
    thread.call('crash').then(
      () => 'answered',
      ({ message }: Error) => message,
    )
  const reason = 'a thread has ended: on purpose'
  assert.equal(await Promise.all([ask(), ask()]), [reason, reason])
  assert.is(await ask(), reason)
  assert.equal(lost, [reason])
})

test.run()
