import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findLastWords } from '../../lib/domain/last-words.ts'
import { parseRefusal } from '../../lib/domain/swarm-words.ts'

test('the last words of a log are its error, not the stack below it', () => {
  const log = [
    'listening',
    'Error: the disk is full',
    '    at main (file:///app/main.ts:3:7)',
    '',
    'Node.js v24.21.0',
  ]
  assert.is(findLastWords(log.join('\n')), 'Error: the disk is full')
})

test('a line of JSON says its message', () => {
  assert.is(
    findLastWords('{"event":"failed","message":"cannot read /data/dg_8"}\n'),
    'cannot read /data/dg_8',
  )
  assert.is(findLastWords(''), undefined)
})

test('a refusal is told with its status, code and words', () => {
  const body = JSON.stringify({ error: { code: 'canary_failed', message: 'recall is 0.2' } })
  assert.equal(parseRefusal(`${JSON.stringify({ status: 503, body })}\n`), {
    status: 503,
    code: 'canary_failed',
    message: 'recall is 0.2',
  })
})

test('an answer that is not one of ours is told as it is', () => {
  assert.equal(parseRefusal(JSON.stringify({ status: 502, body: 'Bad Gateway' })), {
    status: 502,
    code: 'unknown',
    message: 'Bad Gateway',
  })
  assert.equal(parseRefusal('cannot be reached: ECONNREFUSED'), {
    status: null,
    code: 'unreachable',
    message: 'cannot be reached: ECONNREFUSED',
  })
})

test.run()
