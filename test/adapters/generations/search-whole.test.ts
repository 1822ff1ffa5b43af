import { truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createGenerationSearch } from '../../../lib/adapters/generations/search-whole.ts'
import { makeGeneration } from '../../support/generation.ts'
import { raised } from '../../support/raised.ts'
import { makeTempDir } from '../../support/temp.ts'

const signal = new AbortController().signal

test('finds over all shards what the golden queries found, in the same order', async () => {
  const root = makeTempDir()
  const manifest = await makeGeneration(root, { clusters: 4 })
  const search = createGenerationSearch(root)
  const { queries, k } = await search.readGolden(manifest)
  assert.ok(queries.length > 10)
  const vectors = Float32Array.from(queries.flatMap(({ vector }) => vector))
  const found = await search.search(manifest, vectors, { k, signal })
  for (const [query, { hits }] of queries.entries()) {
    assert.equal(
      found[query]!.map(({ id }) => id),
      hits.map(({ id }) => id),
    )
    for (const [rank, { score }] of hits.entries()) {
      assert.ok(Math.abs(found[query]![rank]!.score - score) < 1e-5)
    }
  }
})

test('gives all there is where that is less than was asked for', async () => {
  const root = makeTempDir()
  const manifest = await makeGeneration(root, { texts: ['one', 'two', 'three'], clusters: 2 })
  const search = createGenerationSearch(root)
  const { queries } = await search.readGolden(manifest)
  const vector = Float32Array.from(queries[0]!.vector)
  const [found] = await search.search(manifest, vector, { k: 10, signal })
  assert.is(new Set(found!.map(({ id }) => id)).size, 3)
  assert.is(found![0]!.id, queries[0]!.id)
})

test('refuses a shard of another size than the manifest says, and stops when it is told to', async () => {
  const root = makeTempDir()
  const manifest = await makeGeneration(root)
  const search = createGenerationSearch(root)
  const query = new Float32Array(manifest.model.dimensions).fill(0.1)
  const stopped = search.search(manifest, query, { k: 1, signal: AbortSignal.abort(new Error('enough')) })
  assert.is((await stopped.catch((error) => error)).message, 'enough')
  await truncate(join(root, 'dg_1', 'clust_0', 'vectors.npy'), 1000)
  await raised('corrupt', search.search(manifest, query, { k: 1, signal }))
})

test.run()
