import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashText, hashTextInto, idOf } from '../../lib/domain/text-hash.ts'

test('agrees with HalfSipHash-1-3 as its reference code computes it', () => {
  const hex = (text: string) =>
    hashText(text)
      .map((word) => word.toString(16).padStart(8, '0'))
      .join('')
  assert.is(hex(''), 'f7475cd7bb860aa9')
  assert.is(hex('I will not buy this record, it is scratched.'), 'da03469c7184b2d2')
})

test('gives an id of t and 16 digits that depends on the text alone', () => {
  assert.match(idOf('Жар-птица 🐦'), /^t[0-9a-f]{16}$/)
  assert.is(idOf('a'), idOf('a'))
  assert.is.not(idOf('a'), idOf('b'))
})

test('hashes texts longer than its scratch space', () => {
  const out = new Uint32Array(2)
  const long = 'я'.repeat(10_000)
  hashTextInto(long, out)
  assert.equal([...out], hashText(long))
  assert.not.equal(hashText(`${long}я`), hashText(long))
})

test('tells texts apart that differ in few places', () => {
  const ask = (number: number, topic: number) =>
    idOf(`What is the answer to question number ${number} about topic ${topic}?`)
  assert.is.not(ask(488385, 506), ask(487381, 826))
})

test('spreads similar texts over all 64 bits', () => {
  const seen = new Set<string>()
  for (let index = 0; index < 20_000; index++) seen.add(idOf(`question ${index}`))
  assert.is(seen.size, 20_000)
  const low = new Set([...seen].map((id) => id.slice(-4)))
  assert.ok(low.size > 15_000, 'the lowest 16 bits hardly repeat')
})

test.run()
