import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashText, idOf } from '../../lib/domain/text-hash.ts'
import { LineBuilder } from '../../lib/flows/split-lines.ts'
import type { TextItems } from '../../lib/ports/input.ts'

/** Texts as an input gives them. */
function encode(texts: readonly string[]): TextItems {
  let end = 0
  return {
    length: texts.length,
    bytes: Buffer.from(texts.join('')),
    ends: Uint32Array.from(texts, (text) => {
      end += Buffer.byteLength(text)
      return end
    }),
    hashes: Uint32Array.from(texts.flatMap(hashText)),
    areDistinct: false,
  }
}

function split({ lines, lineEnds }: ReturnType<LineBuilder['take']>): string[] {
  return Array.from(lineEnds, (end, index) =>
    Buffer.from(lines.subarray(lineEnds[index - 1] ?? 0, end)).toString(),
  )
}

test('renders a text from its bytes as JSON would from a string, whatever it holds', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({
      unit: fc.constantFrom('"', '\\', '\n', '\u0000', '\u001f', '\u007f', 'é', '\u2028', '😀', 'a'),
    }),
  )
  fc.assert(
    fc.property(fc.array(anyText, { maxLength: 20 }), (texts) => {
      const builder = new LineBuilder()
      const items = encode(texts)
      for (const index of texts.keys()) builder.addText(items, index, index % 3)
      const expected = texts.map((text, index) => {
        const id = index % 3 === 0 ? idOf(text) : `${idOf(text)}-${index % 3}`
        return `${JSON.stringify({ id, text })}\n`
      })
      assert.equal(split(builder.take()), expected)
    }),
  )
})

test('begins with an id and a text, and keeps what else an item carries', () => {
  const builder = new LineBuilder()
  builder.addItem('x', { topic: 1, text: 'é "', id: 'given' })
  builder.addItem('r1', { topic: 2 })
  assert.equal(split(builder.take()), ['{"id":"x","text":"é \\"","topic":1}\n', '{"id":"r1","topic":2}\n'])
  assert.equal(split(builder.take()), [])
})

test('takes lines that are longer than all before', () => {
  const builder = new LineBuilder()
  const long = '"'.repeat(300_000)
  builder.addText(encode(['short']), 0, 0)
  builder.addText(encode([long]), 0, 0)
  builder.addItem('x', { text: long })
  const lines = split(builder.take())
  assert.equal(
    lines.map((line) => JSON.parse(line).text),
    ['short', long, long],
  )
})

test.run()
