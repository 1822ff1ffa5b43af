import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { attempt } from '../../lib/flows/attempt.ts'
import { rejectsWith } from '../support/errors.ts'

const NEVER = new AbortController().signal
const hang = () => new Promise<never>(() => undefined)

test('hands out what came of the work, or why nothing did', async () => {
  const options = { signal: NEVER, limitMs: 1000 }
  assert.equal(await attempt(async () => 7, options), { value: 7 })
  const failing = async () => {
    throw new LongshoreError('remote', 'n2 is gone', { hint: 'plug it in' })
  }
  assert.equal(await attempt(failing, options), { problem: 'n2 is gone', hint: 'plug it in' })
})

test('waits no longer than it may, whether the work obeys or not', async () => {
  const late = { problem: 'no answer within 0 s', hint: undefined }
  assert.equal(await attempt(hang, { signal: NEVER, limitMs: 5 }), late)
  const obeying = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  assert.equal(await attempt(obeying, { signal: NEVER, limitMs: 5 }), late)
})

test('raises an interruption, and nothing else', async () => {
  const operator = new AbortController()
  const work = attempt(hang, { signal: operator.signal, limitMs: 60_000 })
  operator.abort(new LongshoreError('interrupted', 'interrupted'))
  await rejectsWith(work, 'interrupted')
  await rejectsWith(
    attempt(async () => 7, { signal: operator.signal, limitMs: 1000 }),
    'interrupted',
  )
})

test.run()
