import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ROOT } from '../../support/shared.ts'
import { makeTempDir } from '../../support/temp.ts'

const THREAD = `file://${ROOT}lib/adapters/generations/thread.ts`

/** A thread that answers at once, and then does something that cannot be interrupted. */
const ANSWERS = `
import { execFileSync } from 'node:child_process'
import { answerCalls } from '${THREAD}'
const block = () => { for (let turn = 0; turn < 10; turn++) execFileSync(process.execPath, ['--eval', '']) }
answerCalls({ ready: () => 1, ask: () => (setImmediate(block), 1) })
`

const STOPS = `
import { execFileSync } from 'node:child_process'
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

test.run()
