import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readCentroids } from '../../lib/adapters/generations/centroids.ts'
import { openShard } from '../../lib/adapters/generations/served-shard.ts'
import { createGenerationStore } from '../../lib/adapters/generations/store.ts'
import { GenerationInput } from '../../lib/adapters/inputs/generation.ts'
import { countItems, countOwn, type Manifest } from '../../lib/domain/manifest.ts'
import { METRICS } from '../../lib/domain/model.ts'
import { createRandom } from '../../lib/domain/random.ts'
import { innerProduct, scoreOf } from '../../lib/domain/similarity.ts'
import { split } from '../../lib/flows/split.ts'
import type { Input } from '../../lib/ports/input.ts'
import { forgeGeneration } from '../support/damage.ts'
import { raised } from '../support/raised.ts'
import { DIMENSIONS, makeInput, makeSplitContext } from '../support/split.ts'
import { makeTempDir } from '../support/temp.ts'

const ROWS = 1200
const LENIENT = 'gates: {recall: 0, selfRouting: 0}'
const INPUT = makeInput({ ...makeScattered(), clusters: null })

/** Unit vectors in all directions: wherever clusters are, many lie near their borders. */
function makeScattered() {
  const random = createRandom(7)
  const vectors = new Float32Array(ROWS * DIMENSIONS)
  for (let row = 0; row < ROWS; row++) {
    const values = Array.from({ length: DIMENSIONS }, () => random() + random() + random() - 1.5)
    const norm = Math.hypot(...values)
    vectors.set(
      values.map((value) => value / norm),
      row * DIMENSIONS,
    )
  }
  return { items: Array.from({ length: ROWS }, (_, row) => ({ text: `text ${row}` })), vectors }
}

async function splitWith(settings: string, input: Input = INPUT) {
  const root = makeTempDir()
  const world = makeSplitContext(root, input, `${LENIENT}\nsplit: {clusters: 6, ${settings}}`)
  await split(world.context, { path: 'rows' })
  return { ...world, root, manifest: await world.context.generations.read('dg_1') }
}

/** Every row of every shard, in order. */
async function readRows(root: string, { clusters }: Manifest) {
  const shards = clusters.map(async ({ id }) => {
    const bytes = await readFile(join(root, 'dg_1', `clust_${id}`, 'vectors.npy'))
    const vectors = new Float32Array(Uint8Array.from(bytes.subarray(128)).buffer)
    const lines = await readFile(join(root, 'dg_1', `clust_${id}`, 'items.jsonl'), 'utf8')
    return lines
      .trimEnd()
      .split('\n')
      .map((line, row) => ({ line, vector: [...vectors.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS)] }))
  })
  return Promise.all(shards)
}

test('stores nothing twice where it is not asked for', async () => {
  const { manifest } = await splitWith('borderShare: 0')
  assert.ok(manifest.clusters.every((cluster) => !('copies' in cluster)))
})

for (const metric of METRICS) {
  test(`puts the items nearest to the border into the next cluster too, a share at most, under ${metric}`, async () => {
    const root = makeTempDir()
    const { context } = makeSplitContext(root, INPUT, `${LENIENT}\nsplit: {clusters: 6, borderShare: 0.2}`)
    const model = { ...context.profile.model, metric }
    await split({ ...context, profile: { ...context.profile, model } }, { path: 'rows' })
    const { clusters } = await context.generations.read('dg_1')
    const shards = await readRows(root, { clusters } as Manifest)
    const centroids = await readCentroids(join(root, 'dg_1'), { clusters: 6, dimensions: DIMENSIONS })
    const score = (vector: number[], cluster: number) => {
      const centroid = centroids.subarray(cluster * DIMENSIONS, (cluster + 1) * DIMENSIONS)
      return scoreOf(metric, {
        product: innerProduct(vector, centroid),
        squaredA: innerProduct(vector, vector),
        squaredB: innerProduct(centroid, centroid),
      })
    }
    const copied = new Map<string, number>()
    for (const [shard, rows] of shards.entries()) {
      for (const row of rows.slice(countOwn(clusters[shard]!))) copied.set(JSON.stringify(row), shard)
    }
    const gapsOf = { copied: [] as number[], others: [] as number[] }
    for (const [shard, rows] of shards.entries()) {
      for (const row of rows.slice(0, countOwn(clusters[shard]!))) {
        const others = clusters.map(({ id }) => id).filter((id) => id !== shard)
        const next = others.reduce((a, b) => (score(row.vector, b) > score(row.vector, a) ? b : a))
        const gap = score(row.vector, shard) - score(row.vector, next)
        const place = copied.get(JSON.stringify(row))
        gapsOf[place === undefined ? 'others' : 'copied'].push(gap)
        assert.ok(place === undefined || place === next)
      }
    }
    assert.is(gapsOf.copied.length, copied.size)
    assert.is(gapsOf.copied.length, ROWS * 0.2)
    assert.ok(Math.max(...gapsOf.copied) <= Math.min(...gapsOf.others) + 1e-6)
  })
}

test('counts every item once, and finds nothing repeated', async () => {
  const { manifest, gates } = await splitWith('borderShare: 0.2')
  assert.is(countItems(manifest), ROWS)
  assert.is(
    manifest.clusters.reduce((sum, { items }) => sum + items, 0),
    ROWS * 1.2,
  )
  const measured = Object.fromEntries(gates.map((gate) => [gate.name, gate.measured]))
  assert.equal([measured.uniqueIds, measured.duplicates, measured.selfRouting, measured.golden], [0, 0, 1, 1])
})

test('reaches more with every number of clusters asked, so that no more need to be', async () => {
  const [without, with30] = [await splitWith('borderShare: 0'), await splitWith('borderShare: 0.3')]
  const curve = (world: typeof without) => world.manifest.routing.measured.map(({ recall }) => recall)
  const [before, after] = [curve(without), curve(with30)]
  assert.ok(after.every((recall, index) => recall >= before[index]!))
  assert.ok(after[0]! > before[0]! + 0.05, `${before[0]} to ${after[0]}`)
  assert.ok(with30.manifest.routing.nprobe <= without.manifest.routing.nprobe)
  const golden = (root: string) => readFile(join(root, 'dg_1', 'golden.json'), 'utf8')
  assert.is(await golden(with30.root), await golden(without.root))
})

for (const kind of ['exact', 'exact-i8', 'hnsw']) {
  test(`measures the same again, and serves copies like items, with ${kind}`, async () => {
    const { manifest, context, gateContext, gates, root } = await splitWith(
      `borderShare: 0.2, search: ${kind}, searchRecall: 0.5`,
    )
    const again = await context.generations.measure(manifest, gateContext)
    assert.equal(again, gates)
    const { id, items } = manifest.clusters.find(({ copies }) => copies)!
    const shard = openShard(join(root, 'dg_1'), manifest, id)
    const last = shard.vectors.slice((items - 1) * DIMENSIONS, items * DIMENSIONS)
    assert.is(shard.search(last, 1).rows[0], items - 1)
    assert.match(shard.readItem(items - 1).id, /^t/)
    shard.close()
  })
}

test('leaves copies out when a generation is split again', async () => {
  const first = await splitWith('borderShare: 0.2')
  const input = new GenerationInput(join(first.root, 'dg_1'))
  assert.is(input.rows, ROWS)
  const again = await splitWith('borderShare: 0', input)
  const without = await splitWith('borderShare: 0')
  assert.equal(again.manifest.files, without.manifest.files)
})

test('calls a generation corrupt that has a copy of no item', async () => {
  const { root, gateContext, manifest } = await splitWith('borderShare: 0.2')
  const { id, items } = manifest.clusters.find(({ copies }) => copies)!
  await forgeGeneration(root, { from: 'dg_1', to: 'dg_2' }, async (copy) => {
    const path = join(copy, `clust_${id}`, 'items.jsonl')
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
    const spoiled = lines.with(-1, lines.at(-1)!.replace('{"id":"t', '{"id":"u'))
    await writeFile(path, `${spoiled.join('\n')}\n`)
    return undefined
  })
  const store = createGenerationStore(root)
  const error = await raised('corrupt', store.measure(await store.read('dg_2'), gateContext))
  assert.match(error.message, `clust_${id}: row ${items - 1} is a copy of no item`)
})

test('finds items repeated that are told as items, though they are copies', async () => {
  const { root, gateContext, manifest } = await splitWith('borderShare: 0.2')
  const clusters = manifest.clusters.map(({ copies: _, ...cluster }) => cluster)
  await forgeGeneration(root, { from: 'dg_1', to: 'dg_2' }, async () => ({ clusters }))
  const store = createGenerationStore(root)
  const gates = await store.measure(await store.read('dg_2'), gateContext)
  assert.is(gates.find(({ name }) => name === 'uniqueIds')!.measured, ROWS * 0.2)
})

test.run()
