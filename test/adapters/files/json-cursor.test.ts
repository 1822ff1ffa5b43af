import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FileWindow } from '../../../lib/adapters/files/file-window.ts'
import { JsonCursor } from '../../../lib/adapters/files/json-cursor.ts'
import { LineReader } from '../../../lib/adapters/files/line-reader.ts'
import { makeTempDir } from '../../support/temp.ts'

const path = join(makeTempDir(), 'texts.json')

function readTexts(content: string, capacity: number): string[] {
  writeFileSync(path, content)
  const window = new FileWindow(path, capacity)
  try {
    const cursor = new JsonCursor(window)
    const texts: string[] = []
    cursor.expect('[')
    if (!cursor.take(']')) {
      do {
        cursor.readText()
        texts.push(cursor.text)
      } while (cursor.take(','))
      cursor.expect(']')
    }
    cursor.expectEnd()
    return texts
  } finally {
    window.close()
  }
}

/** JSON as Python writes it: everything but ASCII escaped. */
function escapeAll(texts: readonly string[]): string {
  return JSON.stringify(texts, null, 1).replace(
    /[^\0-~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

test('reads what JSON.parse reads, escaped or not, through a window of any size', () => {
  const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 120 }), { maxLength: 12 })
  fc.assert(
    fc.property(texts, fc.integer({ min: 64, max: 200 }), (list, capacity) => {
      assert.equal(readTexts(JSON.stringify(list), capacity), list)
      assert.equal(readTexts(escapeAll(list), capacity), list)
    }),
    { numRuns: 100 },
  )
})

test('names the byte where a listing is damaged', () => {
  const cases: [string, RegExp][] = [
    ['["a" "b"]', /texts\.json, byte 5: expected "\]"/],
    ['["a", 7]', /byte 6: expected a text/],
    ['["a', /byte 2: a text without an end/],
    ['["a\\', /byte 2: a text without an end/],
    ['["\\q"]', /byte 2: .* is no JSON text/],
    ['["a"] x', /byte 6: expected the end of the file/],
  ]
  for (const [content, message] of cases) assert.throws(() => readTexts(content, 64), message, content)
})

test('reads lines longer than its window and a last one without an end, and counts blank ones', () => {
  const long = 'x'.repeat(9 * 1024 * 1024)
  writeFileSync(path, `first\n\n${long}\nжар\r\nlast`)
  const lines = new LineReader(path)
  assert.is(lines.next(), 'first')
  assert.is(lines.next()?.length, long.length)
  assert.is(lines.number, 3)
  assert.is(lines.next()?.trim(), 'жар')
  assert.is(lines.next(), 'last')
  assert.is(lines.next(), undefined)
  lines.close()
})

test.run()
