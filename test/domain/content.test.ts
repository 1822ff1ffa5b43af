import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashContent, hashTextContent } from '../../lib/domain/content.ts'

function sha256(...parts: (string | Uint8Array)[]): string {
  return parts
    .reduce<ReturnType<typeof createHash>>((sum, part) => sum.update(part), createHash('sha256'))
    .digest('hex')
}

test('knows a text by the same hash as its UTF-8, as the format of ledgers says', () => {
  for (const text of ['', 'pier', 'Übersee 🚢', 'a\u0000b', 'x'.repeat(100_000)]) {
    const expected = sha256('text\n', text)
    assert.is(Buffer.from(hashContent({ kind: 'text', text })).toString('hex'), expected)
    assert.is(Buffer.from(hashTextContent(Buffer.from(text))).toString('hex'), expected)
  }
})

test('tells an image from a text of the same bytes, and keeps none of the memory it was given', () => {
  const bytes = Buffer.from('pier')
  const image = hashContent({ kind: 'image', bytes, mediaType: 'image/png' })
  const text = hashTextContent(bytes)
  bytes.fill(0)
  hashTextContent(Buffer.from('another'))
  assert.is(Buffer.from(image).toString('hex'), sha256('image\n', 'pier'))
  assert.is(Buffer.from(text).toString('hex'), sha256('text\n', 'pier'))
})

test.run()
