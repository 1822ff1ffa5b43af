import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EmbedError } from '../../lib/ports/embedding-server.ts'
import { describeTexts, embedTexts } from '../support/embed-run.ts'

const makeTexts = (count: number) => Array.from({ length: count }, (_, index) => `text ${index}`)
const refuse = (poison: ReadonlySet<string>) => (texts: readonly string[]) => {
  const found = texts.find((text) => poison.has(text))
  if (found !== undefined) throw new EmbedError('split', texts.length > 1 ? 'bad batch' : `bad ${found}`)
}
const log2 = (value: number) => Math.ceil(Math.log2(value))

test('stores every good content once and buries every poison one, with few calls, wherever they are', async () => {
  const cases = fc.record({
    count: fc.integer({ min: 1, max: 150 }),
    batchItems: fc.integer({ min: 1, max: 64 }),
    places: fc.uniqueArray(fc.nat(149), { maxLength: 12 }),
    inFlight: fc.integer({ min: 1, max: 8 }),
  })
  await fc.assert(
    fc.asyncProperty(cases, async ({ count, batchItems, places, inFlight }) => {
      const texts = makeTexts(count)
      const poison = new Set(places.filter((place) => place < count).map((place) => texts[place]!))
      const { counts, ledger, calls, error } = await embedTexts(texts, refuse(poison), {
        extraction: { batchItems, inFlight },
      })
      assert.is(error, undefined)
      const expected = texts.map((text) => (poison.has(text) ? `bad ${text}` : 'embedded'))
      assert.equal(describeTexts(texts, ledger), expected)
      assert.equal([counts!.items, counts!.dead], [count - poison.size, poison.size])
      const most = Math.ceil(count / batchItems) + poison.size * 2 * log2(batchItems)
      // One witness at most: where a poison content is alone in the last batch of all.
      assert.ok(calls.length <= most + 1, `${calls.length} calls, expected ${most}`)
    }),
    { numRuns: 150 },
  )
})

test('finds one poison content by 2 log2(batch) further calls, and no witness', async () => {
  for (let place = 0; place < 64; place++) {
    const texts = makeTexts(64)
    const { calls, ledger } = await embedTexts(texts, refuse(new Set([texts[place]!])))
    assert.is(calls.length, 1 + 2 * 6)
    assert.is(ledger.dead.size, 1)
  }
})

test('buries nothing when the server refuses everything, and says what it was told', async () => {
  const { error, ledger, calls } = await embedTexts(makeTexts(1000), () => {
    throw new EmbedError('split', 'http://x: embedding 0 has 3 dimensions, expected 2')
  })
  assert.match(error!.message, /gives no embeddings: http:\/\/x: embedding 0 has 3 dimensions/)
  assert.is(ledger.size, 0)
  assert.ok(calls.length < 700, `${calls.length} calls`)
})

test('buries no content of a gallery whose server changes in the middle of it', async () => {
  const texts = makeTexts(2000)
  const { error, ledger } = await embedTexts(texts, async (_, call) => {
    await new Promise(setImmediate)
    if (call > 10) throw new EmbedError('split', 'embedding 0 has 3 dimensions, expected 2')
  })
  assert.is((error as { kind?: string }).kind, 'remote')
  assert.is(ledger.dead.size, 0)
  assert.is(ledger.vectors.size, 640)
})

test('buries a single poison content that is all there is left to embed, after a witness', async () => {
  const { ledger, calls, error } = await embedTexts(['bad'], refuse(new Set(['bad'])))
  assert.is(error, undefined)
  assert.equal([...ledger.dead.values()], ['bad bad'])
  assert.equal(calls, [['bad'], ['Is anybody there?']])
  assert.is(ledger.vectors.size, 0)
})

test('goes on where most contents are poison', async () => {
  const texts = makeTexts(300)
  const poison = new Set(texts.filter((_, index) => index % 10 > 0))
  const { ledger, error } = await embedTexts(texts, refuse(poison))
  assert.is(error, undefined)
  assert.equal([ledger.vectors.size, ledger.dead.size], [30, 270])
})

test('finds the content that the server does not survive, though it says nothing of it', async () => {
  const texts = makeTexts(200)
  const { ledger, error } = await embedTexts(texts, (asked) => {
    if (asked.includes('text 77')) throw new EmbedError('transient', 'cannot reach it: other side closed')
  })
  assert.is(error, undefined)
  assert.equal([ledger.vectors.size, ledger.dead.size], [199, 1])
  assert.match([...ledger.dead.values()][0]!, /other side closed/)
})

test.run()
