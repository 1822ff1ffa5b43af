import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { UnreachableError } from '../../lib/adapters/http/unreachable.ts'
import { embedLexical, normalizeLexical } from '../../lib/domain/lexical.ts'
import { createAnswerCache } from '../../services/gateway/answer-cache.ts'
import { keysOf } from '../../services/gateway/answer-key.ts'
import type { Queries, SearchOptions } from '../../services/gateway/search-body.ts'
import { eventually } from '../support/eventually.ts'
import { makeCentroids, makeGatewayApp, makeItems } from '../support/gateway-app.ts'

const [CLUSTERS, DIMENSIONS] = [2, 8]
const items = makeItems(40, CLUSTERS, DIMENSIONS)
const centroids = makeCentroids(CLUSTERS, DIMENSIONS)
const make = (more: Partial<Parameters<typeof makeGatewayApp>[0]> = {}) =>
  makeGatewayApp({ items, centroids, clusters: CLUSTERS, ...more })
const vectorOf = (at: number) => [...items[at]!.vector]
const OPTIONS: SearchOptions = { k: 3, nprobe: 2, partial: 'fail' }
const NEVER = new AbortController().signal

/** Something that shards wait for. */
function makeGate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { wait: () => promise, open: resolve }
}

test('answers the same query again without asking anybody', async () => {
  const gateway = make()
  const first = await gateway.post({ query: 'hello world', k: 3 })
  const asked = gateway.asked.length
  const again = await gateway.post({ query: 'hello world', k: 3 })
  assert.is(gateway.asked.length, asked)
  assert.is(gateway.embedded.length, 1)
  assert.equal({ ...again.body, tookMs: 0 }, { ...first.body, tookMs: 0 })
  assert.match(await gateway.readMetrics(), /longshore_cache_queries_total\{outcome="hit".*\} 1\n/)
})

test('asks for those of a batch alone that are not known, each once', async () => {
  const gateway = make()
  await gateway.post({ query: 'one' })
  const { body } = await gateway.post({ queries: ['two', 'one', 'two', 'three'] })
  assert.equal(gateway.embedded, [['one'], ['two', 'three']])
  assert.equal(body.results[0], body.results[2])
})

test('another value of any option, and another text or vector, is another key', () => {
  const context = { ref: { name: 'dg_1', digest: 'sha256:1' }, normalize: (text: string) => text }
  const text: Queries = { texts: ['a'] }
  const others: [Queries, Partial<SearchOptions>, Partial<typeof context>][] = [
    [text, {}, {}],
    [text, { k: 4 }, {}],
    [text, { nprobe: 1 }, {}],
    [text, { threshold: 0 }, {}],
    [text, { threshold: 0.5 }, {}],
    [text, { filter: '{"a":1}' }, {}],
    [text, { filter: '{"a":"1"}' }, {}],
    [text, { dedupe: 'text' }, {}],
    [text, { partial: 'partial' }, {}],
    [text, {}, { ref: { name: 'dg_1', digest: 'sha256:2' } }],
    [text, {}, { ref: { name: 'dg_2', digest: 'sha256:1' } }],
    [{ texts: ['b'] }, {}, {}],
    [{ texts: ['a\ud800'] }, {}, {}],
    [{ texts: ['a\ufffd'] }, {}, {}],
    [{ vectors: [new Float32Array([1, 2])] }, {}, {}],
    [{ vectors: [new Float32Array([2, 1])] }, {}, {}],
  ]
  const keys = others.map(([queries, options, more]) =>
    keysOf(queries, { ...OPTIONS, ...options }, { ...context, ...more }).join(),
  )
  assert.is(new Set(keys).size, others.length)
})

test('takes texts for the same only when their embeddings are the same', () => {
  const spoiled = fc.tuple(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('', ' ', '  ', '\t', 'É', 'E\u0301', '!', 'ß', 'ﬁ'),
  )
  const text = fc.array(spoiled, { maxLength: 4 }).map((parts) => parts.flat().join(''))
  const change = fc.constantFrom<(text: string) => string>(
    (each) => each.normalize('NFD'),
    (each) => each.normalize('NFC'),
    (each) => each.toUpperCase(),
    (each) => ` ${each.replaceAll(' ', '  ')}\n`,
    (each) => each.replaceAll(' ', ''),
  )
  fc.assert(
    fc.property(text, change, (one, alter) => {
      const other = alter(one)
      if (normalizeLexical(one) !== normalizeLexical(other)) return
      assert.equal(embedLexical([one], 32), embedLexical([other], 32))
    }),
    { seed: 4, numRuns: 2000 },
  )
  assert.is(normalizeLexical('Caf\u00e9  au lait!'), normalizeLexical('cafe\u0301 au lait'))
  assert.is.not(normalizeLexical('au lait'), normalizeLexical('aulait'))
})

test('keeps within its entries and bytes, and forgets what was not asked for longest', () => {
  const cache = createAnswerCache({ entries: 3, bytes: 10_000 })
  for (const key of ['a', 'b', 'c']) cache.set(key, key)
  assert.is(cache.get('a'), 'a')
  cache.set('d', 'd')
  assert.equal(
    ['a', 'b', 'c', 'd'].map((key) => cache.get(key)),
    ['a', undefined, 'c', 'd'],
  )
  cache.set('e', 'x'.repeat(4_750))
  assert.equal(
    ['a', 'c', 'd', 'e'].map((key) => cache.get(key) !== undefined),
    [false, false, true, true],
  )
  assert.ok(cache.size().bytes <= 10_000)
  cache.set('f', 'x'.repeat(10_000))
  assert.is(cache.get('f'), undefined, 'what does not fit drives out nothing')
  assert.is(cache.size().entries, 2)
  const off = createAnswerCache({ entries: 0, bytes: 10_000 })
  off.set('a', 'a')
  assert.equal([off.get('a'), off.size()], [undefined, { entries: 0, bytes: 0 }])
})

test('counts its bytes rightly whatever is put in and asked for', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(300)))
  fc.assert(
    fc.property(steps, (list) => {
      const cache = createAnswerCache({ entries: 3, bytes: 1_500 })
      for (const [key, length] of list) {
        if (length % 3 === 0) cache.get(key)
        else cache.set(key, 'x'.repeat(length))
        const { entries, bytes } = cache.size()
        assert.ok(entries <= 3 && bytes <= 1_500)
      }
      for (const key of ['a', 'b', 'c', 'd']) cache.set(key, '')
      assert.equal(cache.size(), { entries: 3, bytes: 3 * (200 + 2) })
    }),
    { seed: 4, numRuns: 300 },
  )
})

test('searches once for the same query of several clients, and tells all of them', async () => {
  const gate = makeGate()
  const gateway = make({ beforeShard: gate.wait })
  const replies = ['Hello World', 'hello  world', 'HELLO world!'].map((query) => gateway.post({ query }))
  const batch = gateway.post({ queries: ['hello world', 'something else'] })
  await eventually(() => assert.is(gateway.asked.length, 4))
  gate.open()
  const [first, ...others] = await Promise.all(replies)
  for (const { body } of others) assert.equal(body.hits, first!.body.hits)
  assert.equal((await batch).body.results[0].hits, first!.body.hits)
  assert.equal(gateway.embedded, [['Hello World'], ['something else']])
})

test('a client that goes away fails nobody who waits for the same answer', async () => {
  const gate = makeGate()
  const gateway = make({ beforeShard: gate.wait })
  const [one, two] = [new AbortController(), new AbortController()]
  const queries = { vectors: [Float32Array.from(vectorOf(0))] }
  const first = gateway.answers.ask(queries, OPTIONS, one.signal)
  const second = gateway.answers.ask(queries, OPTIONS, two.signal)
  one.abort()
  await assertFails(first, 'cancelled')
  assert.not.ok(gateway.asked[0]!.signal.aborted)
  gate.open()
  assert.ok((await second)[0]!.isComplete)
  assert.is(gateway.asked.length, CLUSTERS)
})

test('stops a search when the last one who waited has gone, and begins anew for who comes then', async () => {
  const gate = makeGate()
  const gateway = make({ beforeShard: gate.wait })
  const client = new AbortController()
  const queries = { vectors: [Float32Array.from(vectorOf(0))] }
  const first = gateway.answers.ask(queries, OPTIONS, client.signal)
  client.abort()
  await assertFails(first, 'cancelled')
  const next = gateway.answers.ask(queries, OPTIONS, NEVER)
  assert.ok(gateway.asked[0]!.signal.aborted)
  gate.open()
  assert.ok((await next)[0]!.isComplete)
  assert.is(gateway.asked.length, 2 * CLUSTERS)
})

test('keeps no error: the next one asks again', async () => {
  let isBroken = true
  const gateway = make({
    beforeShard: () => {
      if (isBroken) throw new UnreachableError('gone')
    },
  })
  const replies = await Promise.all([0, 0, 0].map((at) => gateway.post({ vector: vectorOf(at) })))
  assert.equal(
    replies.map(({ status }) => status),
    [503, 503, 503],
  )
  assert.is(gateway.cache.size().entries, 0)
  isBroken = false
  assert.is((await gateway.post({ vector: vectorOf(0) })).status, 200)
})

test('keeps nothing of a search that was stopped', async () => {
  const gate = makeGate()
  const gateway = make({
    beforeShard: async ({ signal }) => {
      await gate.wait()
      if (signal.aborted) throw new UnreachableError('stopped')
    },
  })
  const client = new AbortController()
  const asking = gateway.answers.ask({ texts: ['a'] }, { ...OPTIONS, partial: 'partial' }, client.signal)
  await eventually(() => assert.is(gateway.asked.length, CLUSTERS))
  client.abort()
  gate.open()
  await assertFails(asking, 'cancelled')
  assert.is(gateway.cache.size().entries, 0)
})

test('explains a search of its own, never one that is known', async () => {
  const gateway = make()
  await gateway.post({ vector: vectorOf(0) })
  const { body } = await gateway.post({ vector: vectorOf(0), explain: true })
  assert.is(gateway.asked.length, 2 * CLUSTERS)
  assert.is(body.explain.shards.length, CLUSTERS)
})

async function assertFails(asking: Promise<unknown>, code: string): Promise<void> {
  const error = await asking.then(
    () => assert.unreachable('it answered'),
    (reason) => reason as { code: string },
  )
  assert.is((error as { code: string }).code, code)
}

test.run()
