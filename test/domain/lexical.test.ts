import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { embedLexical } from '../../lib/domain/lexical.ts'
import { innerProduct } from '../../lib/domain/similarity.ts'

const DIMENSIONS = 512

function similarity(a: string, b: string): number {
  return innerProduct(embedLexical([a], DIMENSIONS), embedLexical([b], DIMENSIONS))
}

test('never changes what it makes of a text: stored generations depend on it', () => {
  const texts = [
    'How do I bake sourdough bread at home?',
    'Straße Ångström ﬁne 2nd',
    '日本語の質問',
    '!?',
    '',
  ]
  const rows = embedLexical(texts, 64)
  const digest = createHash('sha256').update(new Uint8Array(rows.buffer)).digest('hex')
  assert.is(digest, '414dbc9db2b1b28b7be7a40c6a3731dc05b4d21d1851bf42e55d7ab8865062e3')
})

test('gives any text a vector of unit length, the empty one too', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.integer({ min: 1, max: 600 }),
      (text, dimensions) => {
        const row = embedLexical([text], dimensions)
        assert.is(row.length, dimensions)
        assert.ok(Math.abs(innerProduct(row, row) - 1) < 1e-6)
      },
    ),
  )
})

test('embeds a text the same alone and among others', () => {
  const texts = ['first text', '', 'another one', 'first text']
  const rows = embedLexical(texts, 32)
  for (const [index, text] of texts.entries()) {
    assert.equal(rows.slice(index * 32, (index + 1) * 32), embedLexical([text], 32))
  }
})

test('knows no difference of case, width, white space or punctuation', () => {
  assert.ok(similarity('How do  I fix\ta BICYCLE?', 'how do i fix a bicycle') > 0.9999)
  assert.ok(similarity('ｆｉｎｅ ﬁne', 'fine fine') > 0.9999)
  assert.ok(similarity('caf\u00e9', 'cafe\u0301') > 0.9999)
})

test('finds shared words and spellings nearer than none', () => {
  const query = 'how do i bake sourdough bread'
  const near = similarity(query, 'baking sourdough bread at home')
  const far = similarity(query, 'how do i fix my bicycle chain')
  assert.ok(near > 0.4 && far < 0.25, `${near} ${far}`)
  assert.ok(similarity('telescope', 'telescopes') > 0.35)
  assert.ok(similarity('telescope', 'telescpoe') > similarity('telescope', 'sourdough') + 0.1)
})

test('is not led by words that stand in every question', () => {
  const query = 'what is the best way to clean a telescope'
  assert.ok(similarity(query, 'telescope cleaning') > similarity(query, 'what is the best way to swim') + 0.1)
})

test('hears the order of words', () => {
  assert.ok(
    similarity('dog bites man', 'dog bites man') > similarity('dog bites man', 'man bites dog') + 0.01,
  )
})

test.run()
