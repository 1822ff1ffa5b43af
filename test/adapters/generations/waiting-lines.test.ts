import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { WaitingLines } from '../../../lib/adapters/generations/waiting-lines.ts'
import { hashText, idOf } from '../../../lib/domain/text-hash.ts'
import type { NamedTexts } from '../../../lib/ports/generation-writer.ts'

const CAPACITY = 20

/** Texts as an input gives them, every third with none before that has its text. */
function encode(texts: readonly string[]): NamedTexts {
  let end = 0
  return {
    bytes: Buffer.from(texts.join('')),
    ends: Uint32Array.from(texts, (text) => {
      end += Buffer.byteLength(text)
      return end
    }),
    hashes: Uint32Array.from(texts.flatMap(hashText)),
    repetitions: Uint32Array.from(texts, (_, index) => index % 3),
  }
}

function addTexts(waiting: WaitingLines, texts: readonly string[]): string[] {
  const items = encode(texts)
  for (const index of texts.keys()) waiting.add(items, index)
  return Array.from(texts, (_, index) => waiting.bytesOf(index, index + 1).toString())
}

test('renders a text from its bytes as JSON would from a string, whatever it holds', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({
      unit: fc.constantFrom('"', '\\', '\n', '\u0000', '\u001f', '\u007f', 'é', '\u2028', '😀', 'a'),
    }),
  )
  fc.assert(
    fc.property(fc.array(anyText, { maxLength: CAPACITY }), (texts) => {
      const expected = texts.map((text, index) => {
        const id = index % 3 === 0 ? idOf(text) : `${idOf(text)}-${index % 3}`
        return `${JSON.stringify({ id, text })}\n`
      })
      assert.equal(addTexts(new WaitingLines(CAPACITY), texts), expected)
    }),
  )
})

test('takes texts and lines that are longer than all before', () => {
  const waiting = new WaitingLines(CAPACITY)
  const long = '"'.repeat(300_000)
  const line = Buffer.from(`${JSON.stringify({ id: 'x', text: long.repeat(4) })}\n`)
  const rendered = addTexts(waiting, ['short', long])
  waiting.add(
    { lines: Buffer.concat([Buffer.from('{}\n'), line]), lineEnds: Uint32Array.of(3, 3 + line.length) },
    1,
  )
  assert.equal(
    rendered.map((text) => JSON.parse(text).text),
    ['short', long],
  )
  assert.ok(waiting.bytesOf(2, 3).equals(line))
  assert.is(waiting.bytesOf(0, 3).toString(), rendered.join('') + line.toString())
})

test('begins anew with the memory of lines that were cleared', () => {
  const waiting = new WaitingLines(CAPACITY)
  addTexts(waiting, ['first', 'second'])
  waiting.clear()
  assert.is(waiting.count, 0)
  assert.equal(addTexts(waiting, ['third']), [`${JSON.stringify({ id: idOf('third'), text: 'third' })}\n`])
})

test.run()
