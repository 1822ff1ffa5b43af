import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readLastWords } from '../../../lib/adapters/local/last-words.ts'
import { makeTempDir } from '../../support/temp.ts'

test('the error of an uncaught exception is found above its stack', () => {
  const log = writeLog(
    'started\nfile:///x.ts:1\nthrow new Error("no")\n^\n\nTypeError: no\n    at x.ts:1\n\nNode.js v24.0.0\n',
  )
  assert.is(readLastWords(log), 'TypeError: no')
})

test('the message of a line of JSON is found', () => {
  assert.is(
    readLastWords(writeLog('{"event":"a"}\n{"message":"clust_0 is missing"}\n')),
    'clust_0 is missing',
  )
})

test('what an earlier process said is left out', () => {
  const former = 'Error: old\n'
  assert.is(readLastWords(writeLog(`${former}new\n`), former.length), 'new')
  assert.is(readLastWords(writeLog(former), former.length), undefined)
})

test('a log that is missing or empty has no words', () => {
  assert.is(readLastWords(join(makeTempDir(), 'none.log')), undefined)
  assert.is(readLastWords(writeLog('')), undefined)
})

function writeLog(text: string): string {
  const path = join(makeTempDir(), 'task.log')
  writeFileSync(path, text)
  return path
}

test.run()
