import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Batcher, estimateTokens, planBounds } from '../../lib/domain/batch.ts'
import { type Content, countContentBytes } from '../../lib/domain/content.ts'

const content = fc.oneof(
  fc.string({ maxLength: 200 }).map((text): Content => ({ kind: 'text', text })),
  fc
    .uint8Array({ maxLength: 300 })
    .map((bytes): Content => ({ kind: 'image', bytes, mediaType: 'image/png' })),
)
const bounds = fc.record({
  items: fc.integer({ min: 1, max: 20 }),
  bytes: fc.integer({ min: 1, max: 1000 }),
  tokens: fc.integer({ min: 1, max: 300 }),
})

test('loses nothing, keeps the order, and meets every bound but with what is larger alone', () => {
  fc.assert(
    fc.property(fc.array(content, { maxLength: 100 }), bounds, (contents, limits) => {
      const batcher = new Batcher(limits)
      const entries = contents.map((value, at) => ({ hash: Uint8Array.of(at), content: value }))
      const closed = entries.flatMap((entry) => [batcher.add(entry) ?? []])
      const batches = [...closed, batcher.take() ?? []].filter(({ length }) => length > 0)
      assert.equal(batches.flat(), entries)
      for (const batch of batches) {
        assert.ok(batch.length <= limits.items)
        assert.is(new Set(batch.map((entry) => entry.content.kind)).size, 1)
        const sum = (count: (value: Content) => number) =>
          batch.reduce((total, entry) => total + count(entry.content), 0)
        assert.ok(batch.length === 1 || sum(countContentBytes) <= limits.bytes)
        assert.ok(batch.length === 1 || sum(estimateTokens) <= limits.tokens)
      }
    }),
  )
})

test('takes what the profile says before what the server says, and no more than is usual by itself', () => {
  const none = { items: undefined, bytes: undefined, tokens: undefined }
  assert.equal(planBounds(none, {}), { items: 64, bytes: 4 << 20, tokens: Number.POSITIVE_INFINITY })
  assert.equal(planBounds(none, { items: 2048, tokens: 300_000 }), {
    items: 64,
    bytes: 4 << 20,
    tokens: 300_000,
  })
  assert.equal(planBounds(none, { items: 32, bytes: 10 }), {
    items: 32,
    bytes: 10,
    tokens: Number.POSITIVE_INFINITY,
  })
  assert.equal(planBounds({ items: 500, bytes: 1, tokens: 2 }, { items: 32 }), {
    items: 500,
    bytes: 1,
    tokens: 2,
  })
})

test('estimates rather too many tokens', () => {
  // A token for each word or sign, and two around them.
  const texts: [string, number][] = [
    ['What animals live in a tide pool?', 10],
    ['漢字漢字漢字漢字漢字', 12],
  ]
  for (const [text, tokens] of texts) assert.ok(estimateTokens({ kind: 'text', text }) >= tokens)
})

test.run()
