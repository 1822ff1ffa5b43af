import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { UnreachableError } from '../../lib/adapters/http/unreachable.ts'
import { addOne } from '../../services/gateway/shard-counters.ts'
import { makeCentroids, makeGatewayApp, makeItems } from '../support/gateway-app.ts'

const [CLUSTERS, DIMENSIONS] = [3, 8]
const make = (more: Partial<Parameters<typeof makeGatewayApp>[0]> = {}) =>
  makeGatewayApp({
    items: makeItems(60, CLUSTERS, DIMENSIONS),
    centroids: makeCentroids(CLUSTERS, DIMENSIONS),
    clusters: CLUSTERS,
    ...more,
  })

/** The value of a metric whose labels contain `labels`. */
function readValue(page: string, name: string, labels = ''): number | undefined {
  const line = page.split('\n').find((each) => each.startsWith(`${name}{`) && each.includes(labels))
  return line === undefined ? undefined : Number(line.split(' ').at(-1))
}

test('measures each stage of a search', async () => {
  const gateway = make()
  await gateway.post({ query: 'hello' })
  const page = await gateway.readMetrics()
  for (const stage of ['embed', 'route', 'search', 'merge']) {
    assert.is(readValue(page, 'longshore_stage_seconds_count', `stage="${stage}"`), 1, stage)
  }
  assert.is(readValue(page, 'longshore_stage_seconds_count', 'stage="shard"'), CLUSTERS)
})

test('tells what happened between the gateway and its shards', async () => {
  const gateway = make()
  addOne(gateway.counters.hedges, 1)
  addOne(gateway.counters.hedges, 1)
  addOne(gateway.counters.retries, 2)
  addOne(gateway.counters.failures, 0)
  for (let times = 0; times < 2; times++) {
    const page = await gateway.readMetrics()
    assert.is(readValue(page, 'longshore_shard_hedges_total', 'cluster="1"'), 2)
    assert.is(readValue(page, 'longshore_shard_retries_total', 'cluster="2"'), 1)
    assert.is(readValue(page, 'longshore_shard_failures_total', 'cluster="0"'), 1)
  }
})

test('tells how queries were answered, and what the cache holds', async () => {
  const gateway = make()
  await gateway.post({ queries: ['one', 'two', 'one'] })
  await gateway.post({ query: 'two' })
  const page = await gateway.readMetrics()
  assert.is(readValue(page, 'longshore_cache_queries_total', 'outcome="miss"'), 2)
  assert.is(readValue(page, 'longshore_cache_queries_total', 'outcome="shared"'), 1)
  assert.is(readValue(page, 'longshore_cache_queries_total', 'outcome="hit"'), 1)
  assert.is(readValue(page, 'longshore_cache_entries'), 2)
  assert.ok(readValue(page, 'longshore_cache_bytes')! > 0)
})

test('stays a small page whatever is asked and however many clusters fail', async () => {
  const clusters = 300
  const gateway = make({
    items: [],
    centroids: makeCentroids(clusters, 2),
    clusters,
    beforeShard: () => {
      throw new UnreachableError('gone')
    },
  })
  for (let cluster = 0; cluster < clusters; cluster++) addOne(gateway.counters.failures, cluster)
  const ask = async (at: number) => {
    await gateway.app.inject(`/no/such/path/${at}`)
    await gateway.post({ vector: [0.5 + at, 1], k: at + 1, filter: { lang: `l${at}` } })
    return await gateway.readMetrics()
  }
  await ask(0)
  const before = await ask(1)
  assert.is(readValue(before, 'longshore_shard_failures_total', 'cluster="other"'), 44)
  const countLines = (page: string) => page.match(/longshore_/g)!.length
  for (let at = 2; at < 50; at++) await ask(at)
  assert.is(countLines(await gateway.readMetrics()), countLines(before))
})

test.run()
