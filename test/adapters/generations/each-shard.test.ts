import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eachShard, type Means, type Searched } from '../../../lib/adapters/generations/each-shard.ts'
import type { ShardKind } from '../../../lib/domain/shard-search.ts'

const DIMENSIONS = 512
const NEVER = new AbortController().signal

/** Works on shards of these sizes in two threads; the most that were worked on together, and the sizes as they were begun. */
async function workOn(sizes: readonly number[], kinds: readonly ShardKind[]) {
  const clusters = sizes.map((items, id) => ({ id, items }))
  const model = { dimensions: DIMENSIONS, metric: 'dot' }
  const searched = {
    subject: { directory: '', model, clusters, vectors: [] },
    inspection: { scan: { matchesOf: () => [], matches: [] }, found: [] },
    ids: [],
  } as unknown as Searched
  const means = {
    context: { signal: NEVER, reporter: { progress: () => undefined } },
    workers: { use: (_: AbortSignal, work: (threads: unknown[]) => unknown) => work(['a', 'b']) },
  } as unknown as Means
  const begun: number[] = []
  let [running, most] = [0, 0]
  const plans = sizes.map((_, shard) => ({ shard, kinds }))
  const results = await eachShard(
    searched,
    plans,
    async (_, { shard }, { items }) => {
      begun.push(items)
      most = Math.max(most, ++running)
      await new Promise(setImmediate)
      running--
      return shard
    },
    means,
  )
  assert.equal(results, [...sizes.keys()])
  return { most, begun }
}

test('begins with the largest shards, and works in all threads', async () => {
  const { most, begun } = await workOn([10, 30, 20, 40], ['exact-i8', 'exact'])
  assert.is(most, 2)
  assert.equal(begun, [40, 30, 20, 10])
})

test('builds graphs side by side that take little memory', async () => {
  assert.is((await workOn([50_000, 60_000, 70_000], ['hnsw', 'exact-i8', 'exact'])).most, 2)
})

test('builds only one graph at a time of those that take much', async () => {
  assert.is((await workOn([500_000, 400_000, 300_000], ['hnsw', 'exact-i8', 'exact'])).most, 1)
  const { most, begun } = await workOn([500_000, 400_000, 50_000], ['hnsw'])
  assert.is(most, 2)
  assert.equal(begun.slice(0, 2), [500_000, 50_000])
})

test.run()
