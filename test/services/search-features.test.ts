import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { innerProduct } from '../../lib/domain/similarity.ts'
import { compareHits } from '../../lib/domain/top-k.ts'
import { makeCentroids, makeGatewayApp, makeItems, type StoredItem } from '../support/gateway-app.ts'

const [CLUSTERS, DIMENSIONS] = [4, 8]
const items = makeItems(400, CLUSTERS, DIMENSIONS)
const centroids = makeCentroids(CLUSTERS, DIMENSIONS)
const make = (more: Partial<Parameters<typeof makeGatewayApp>[0]> = {}) =>
  makeGatewayApp({ items, centroids, clusters: CLUSTERS, ...more })
const vectorOf = (at: number) => [...items[at]!.vector]

/** The right order of all items that are wanted. */
function rank(
  vector: readonly number[],
  isWanted: (item: StoredItem) => boolean = () => true,
  all: readonly StoredItem[] = items,
) {
  return all
    .filter(isWanted)
    .map((item) => ({ ...item, score: Math.fround(innerProduct(item.vector, Float32Array.from(vector))) }))
    .sort(compareHits)
}
const idsOf = (hits: readonly { id: string }[]) => hits.map(({ id }) => id)

test('answers a batch as it answers its queries one by one, asking each shard once', async () => {
  const gateway = make({ cacheEntries: 0 })
  const vectors = [0, 1, 2, 5, 9].map(vectorOf)
  const { status, body } = await gateway.post({ vectors, k: 3, nprobe: 2 })
  assert.is(status, 200)
  const clusters = gateway.asked.map(({ cluster }) => cluster)
  assert.is(new Set(clusters).size, clusters.length)
  const asked = gateway.asked.reduce((sum, query) => sum + query.vectors.length / DIMENSIONS, 0)
  assert.is(asked, vectors.length * 2, 'a shard gets only the queries that are routed to it')
  for (const [at, vector] of vectors.entries()) {
    const single = await gateway.post({ vector, k: 3, nprobe: 2 })
    const { hits, coverage } = single.body
    assert.equal(body.results[at], { hits, coverage })
  }
})

test('embeds the texts of a batch in one call', async () => {
  const gateway = make()
  const { status, body } = await gateway.post({ queries: ['one', 'two', 'three'], k: 1 })
  assert.is(status, 200)
  assert.is(body.results.length, 3)
  assert.equal(gateway.embedded, [['one', 'two', 'three']])
})

test('tells the k best of everything, wherever they are stored', async () => {
  const gateway = make()
  for (const at of [3, 50, 211]) {
    const { body } = await gateway.post({ vector: vectorOf(at), k: 25 })
    assert.equal(idsOf(body.hits), idsOf(rank(vectorOf(at)).slice(0, 25)))
  }
})

test('keeps hits from a threshold on', async () => {
  const right = rank(vectorOf(7))
  const threshold = right[4]!.score
  const { body } = await make().post({ vector: vectorOf(7), k: 50, threshold })
  assert.equal(idsOf(body.hits), idsOf(right.slice(0, 5)))
})

test("keeps hits from its generation's threshold on where a query names none, and null is none", async () => {
  const right = rank(vectorOf(7))
  const gateway = make({ threshold: right[4]!.score })
  const count = async (more: object) =>
    (await gateway.post({ vector: vectorOf(7), k: 50, ...more })).body.hits.length
  assert.equal([await count({}), await count({ threshold: right[9]!.score })], [5, 10])
  assert.is(await count({ threshold: null }), 50)
})

test('finds the k best of those that a filter keeps', async () => {
  const filter = { lang: 'en', year: { gte: 2001, lt: 2004 } }
  const { body } = await make().post({ vector: vectorOf(7), k: 12, filter })
  const right = rank(
    vectorOf(7),
    ({ lang, year }) => lang === 'en' && [2001, 2002, 2003].includes(year as number),
  )
  assert.equal(idsOf(body.hits), idsOf(right.slice(0, 12)))
})

test('tells each text once, by its best item, and asks for more until the k best are certain', async () => {
  const gateway = make()
  const { body } = await gateway.post({ vector: vectorOf(7), k: 40, dedupe: 'text' })
  const right = rank(vectorOf(7))
  const first = right.filter((item, at) => right.findIndex(({ text }) => text === item.text) === at)
  assert.equal(idsOf(body.hits), idsOf(first.slice(0, 40)))
  const times = Map.groupBy(gateway.asked, ({ cluster }) => cluster)
  for (const asked of times.values()) assert.ok(asked.length <= 3)
})

test('asks only those shards again that may hold a better text, for as many as are needed', async () => {
  const copies = Array.from({ length: 40 }, (_, at) => ({ ...items[0]!, id: `c${at}`, text: 'the same' }))
  const gateway = make({ items: [...items, ...copies] })
  const { body } = await gateway.post({ vector: vectorOf(0), k: 5, nprobe: 2, dedupe: 'text' })
  const clusters = new Set(gateway.asked.map(({ cluster }) => cluster))
  const right = rank(vectorOf(0), ({ cluster }) => clusters.has(cluster), [...items, ...copies])
  const first = right.filter((item, at) => right.findIndex(({ text }) => text === item.text) === at)
  assert.equal(idsOf(body.hits), idsOf(first.slice(0, 5)))
  assert.equal(
    gateway.asked.map(({ k, cluster }) => [k, cluster === 0]),
    [
      [20, true],
      [20, false],
      [150, true],
    ],
  )
})

test('tells fewer, and only right ones, where too many items have the same text', async () => {
  const copies = Array.from({ length: 1500 }, (_, at) => ({ ...items[0]!, id: `c${at}`, text: 'the same' }))
  const other = { ...items[4]!, id: 'z', text: 'another' }
  const gateway = make({ items: [...copies, other] })
  const { body } = await gateway.post({ vector: vectorOf(0), k: 5, nprobe: 1, dedupe: 'text' })
  assert.equal(idsOf(body.hits), ['c0'])
  assert.ok(gateway.asked.length <= 3, 'the number of questions is bounded')
  assert.ok(gateway.asked.every(({ k }) => k <= 1000))
})

test('counts an item once that is stored in two clusters', async () => {
  const twin = { ...items[0]!, cluster: 1 }
  const { body } = await make({ items: [...items, twin] }).post({ vector: vectorOf(0), k: 10 })
  assert.equal(idsOf(body.hits), idsOf(rank(vectorOf(0)).slice(0, 10)))
})

test('explains which clusters were asked, with their scores, and what each shard did', async () => {
  const gateway = make()
  const { body } = await gateway.post({ query: 'hello', k: 3, nprobe: 2, explain: true })
  const { clusters, shards, stages } = body.explain
  assert.is(clusters.length, 2)
  assert.ok(clusters[0].score >= clusters[1].score)
  assert.equal(
    shards.map(({ cluster }: { cluster: number }) => cluster).sort(),
    clusters.map(({ cluster }: { cluster: number }) => cluster).sort(),
  )
  for (const shard of shards) {
    assert.equal([shard.kind, shard.hits, shard.hedged, shard.searchMs], ['exact', 3, false, 1])
    assert.type(shard.tookMs, 'number')
  }
  assert.equal(Object.keys(stages).sort(), ['embedMs', 'mergeMs', 'routeMs', 'searchMs'])
  const batch = await gateway.post({ vectors: [vectorOf(0), vectorOf(1)], nprobe: 1, explain: true })
  assert.equal(
    batch.body.explain.clusters.map((list: { cluster: number }[]) => list.map(({ cluster }) => cluster)),
    [[0], [1]],
  )
})

test('refuses what it cannot answer rightly, naming the member and what was expected', async () => {
  const gateway = make()
  const vector = vectorOf(0)
  const cases: [unknown, number, RegExp][] = [
    [{ vector, queries: ['a'] }, 400, /either "query" or "vector", or a list/],
    [{ queries: [] }, 400, /queries: expected a list of 1 to 64/],
    [{ queries: new Array(65).fill('a') }, 400, /queries: expected a list of 1 to 64/],
    [{ queries: ['a', 7] }, 400, /queries\[1\]: expected a text/],
    [{ query: 'x'.repeat(20_001) }, 400, /query: expected at most 20000 characters/],
    [{ vectors: vector }, 400, /vectors\[0\]: expected a list of 8 numbers/],
    [{ vectors: [vector, [1]] }, 400, /vectors\[1\]: has 1 dimensions, expected 8/],
    [{ vector: [...vector.slice(1), null] }, 400, /vector\[7\]: expected a finite number/],
    [`{"vector":[${vector.slice(1)},1e999]}`, 400, /vector\[7\]: expected a finite number/],
    [`{"vector":[${vector.slice(1)},1e39]}`, 400, /vector\[7\]: expected a finite number/],
    [`{"vector":[${vector.slice(1)},1e38]}`, 400, /vector: expected a vector shorter than/],
    [`{"vector":[${vector.slice(1)},NaN]}`, 400, /JSON/],
    [{ vector, k: 1001 }, 400, /k: expected a whole number from 1 to 1000/],
    [{ vector, k: null }, 400, /k: expected/],
    [{ vectors: new Array(64).fill(vector), k: 1000 }, 413, /64 queries with k 1000: expected at most 20000/],
    [{ vector, nprobe: 5 }, 400, /nprobe: expected a whole number from 1 to 4/],
    [{ vector, threshold: '0.5' }, 400, /threshold: expected a finite number/],
    [`{"vector":[${vector}],"threshold":-1e999}`, 400, /threshold: expected a finite number/],
    [{ vector, filter: { year: {} } }, 400, /filter\.year: expected/],
    [{ vector, filter: { lang: 'x'.repeat(4000) } }, 400, /filter: expected at most 4000 bytes/],
    [{ vector, dedupe: 'id' }, 400, /dedupe: expected "text"/],
    [{ vector, explain: 1 }, 400, /explain: expected true or false/],
    [{ vector, partial: true }, 400, /partial: expected "fail" or "partial"/],
    [{ vector, treshold: 1 }, 400, /treshold: no such member/],
    [`{"vector":[${vector}],"__proto__":1}`, 400, /./],
  ]
  for (const [body, expected, message] of cases) {
    const answer = await gateway.post(body)
    assert.is(answer.status, expected, JSON.stringify(body).slice(0, 200))
    assert.match(answer.body.error.message, message)
  }
  assert.is(gateway.asked.length, 0)
})

test('refuses a body that is larger than any right one', async () => {
  const { status, body } = await make().post(JSON.stringify({ query: 'x'.repeat(5 << 20) }))
  assert.is(status, 413)
  assert.is(body.error.code, 'too_large')
})

test.run()
