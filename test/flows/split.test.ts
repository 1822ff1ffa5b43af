import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createGenerationWriter } from '../../lib/adapters/generations/writer.ts'
import { openInput } from '../../lib/adapters/inputs/open-input.ts'
import { embedLexical } from '../../lib/domain/lexical.ts'
import { idOf } from '../../lib/domain/text-hash.ts'
import { split } from '../../lib/flows/split.ts'
import type { GenerationWriter } from '../../lib/ports/generation-writer.ts'
import { raised } from '../support/raised.ts'
import {
  DIMENSIONS,
  makeClusters,
  makeInput,
  makeRows,
  makeSplitContext,
  type Rows,
} from '../support/split.ts'
import { makeTempDir } from '../support/temp.ts'

const clustered = (count: number): Rows => ({ ...makeRows(count), ...makeClusters(count) })

async function splitRows(rows: Rows, settings = '', root = makeTempDir()) {
  const world = makeSplitContext(root, makeInput(rows), settings)
  const answer = await split(world.context, { path: 'rows' })
  return { ...world, answer, root }
}

async function readShard(root: string, cluster: number) {
  const directory = join(root, 'dg_1', `clust_${cluster}`)
  const bytes = await readFile(join(directory, 'vectors.npy'))
  const vectors = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset + 128, bytes.byteOffset + bytes.length),
  )
  const lines = (await readFile(join(directory, 'items.jsonl'), 'utf8')).trimEnd().split('\n')
  return { vectors, items: lines.map((line) => JSON.parse(line)) }
}

test('writes every row to the shard of its cluster, in the order and with the bits of the source', async () => {
  const rows = makeRows(300)
  const { answer, root } = await splitRows({ ...rows, ...makeClusters(300) })
  assert.is(answer.outcome, 'done')
  assert.is(answer.json.items, 300)
  for (const cluster of [0, 1, 2, 3]) {
    const { vectors, items } = await readShard(root, cluster)
    const wanted = rows.items.map((_, row) => row).filter((row) => row % 4 === cluster)
    assert.equal(
      items,
      wanted.map((row) => ({ id: idOf(rows.items[row]!.text!), text: rows.items[row]!.text })),
    )
    const expected = wanted.flatMap((row) => [
      ...rows.vectors.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS),
    ])
    assert.equal(vectors, Float32Array.from(expected))
  }
})

test('names the file, and what is wrong with its first row, where no row can become an item', async () => {
  const path = join(makeTempDir(), 'bad.jsonl')
  await writeFile(path, 'not json\n')
  const { context } = makeSplitContext(makeTempDir(), await openInput(path))
  const { message } = await raised('corrupt', split(context, { path }))
  assert.match(message, /bad\.jsonl: no row can become an item; the first: line 1: is no JSON/)
})

test('keeps given centroids bit by bit', async () => {
  const rows = clustered(80)
  const { root } = await splitRows(rows)
  const bytes = await readFile(join(root, 'dg_1', 'centroids.npy'))
  assert.ok(bytes.subarray(128).equals(new Uint8Array(rows.given!.centroids.buffer)))
})

test('makes about even clusters of rows that come without, and routes every row home', async () => {
  const { answer, context, gates } = await splitRows(makeRows(400))
  const manifest = await context.generations.read(answer.json.generation as string)
  assert.equal(
    manifest.clusters.map(({ items }) => items),
    [100, 100, 100, 100],
  )
  assert.is(gates.find(({ name }) => name === 'selfRouting')!.measured, 1)
})

test('gives the same bytes and digest for the same input and settings', async () => {
  const first = await splitRows(makeRows(200))
  const second = await splitRows(makeRows(200))
  assert.is(first.answer.json.digest, second.answer.json.digest)
})

test('embeds texts that come without vectors', async () => {
  const items = makeRows(90).items
  const root = makeTempDir()
  const { context } = makeSplitContext(
    root,
    makeInput({ items, vectors: null }),
    'split: {clusters: 2}\ngates: {recall: 0, selfRouting: 0}',
  )
  const embedder = { embed: async (texts: readonly string[]) => embedLexical(texts, DIMENSIONS) }
  const answer = await split({ ...context, embedder }, { path: 'rows' })
  assert.is(answer.json.items, 90)
  const shard = await readShard(root, 0)
  const expected = embedLexical([shard.items[0].text], DIMENSIONS)
  assert.equal(shard.vectors.subarray(0, DIMENSIONS), expected)
})

test('rejects rows that are not finite, lists them, and refuses when they are too many', async () => {
  const rows = clustered(200)
  rows.vectors![5 * DIMENSIONS + 3] = Number.NaN
  rows.vectors![7 * DIMENSIONS] = Number.POSITIVE_INFINITY
  const { answer, root } = await splitRows(rows)
  assert.is(answer.json.items, 198)
  const list = (await readFile(join(root, 'dg_1.rejects.jsonl'), 'utf8')).trimEnd().split('\n')
  assert.equal(
    list.map((line) => JSON.parse(line).row),
    ['text "5" é', 'text "7" é'],
  )
  const error = await raised('gate', splitRows(rows, 'gates: {rejects: 0.001}'))
  assert.match(error.message, 'rejects is 0.01, expected <= 0.001')
})

test('counts what the reader rejected', async () => {
  const rejects = [{ row: 3, reason: 'has 7 numbers, expected 16' }]
  const { gates, root } = await splitRows({ ...clustered(100), rejects }, 'gates: {rejects: 0.1}')
  assert.is(gates.find(({ name }) => name === 'rejects')!.measured, 1 / 101)
  assert.equal(JSON.parse(await readFile(join(root, 'dg_1.rejects.jsonl'), 'utf8')), rejects[0])
})

test('numbers repeated texts, and rejects a given id that stands twice', async () => {
  const rows = clustered(8)
  const items = [
    { text: 'a' },
    { text: 'a' },
    { text: 'a' },
    { id: 'x' },
    { id: 'x' },
    {},
    { id: 'y', n: 1 },
    { text: 'b' },
  ]
  const { root, gates } = await splitRows({ ...rows, items }, 'gates: {rejects: 0.5, recall: 0}')
  const ids = (await Promise.all([0, 1, 2, 3].map((cluster) => readShard(root, cluster)))).flatMap((shard) =>
    shard.items.map(({ id }) => id),
  )
  assert.equal(ids.sort(), ['r5', `${idOf('a')}-1`, `${idOf('a')}-2`, idOf('a'), idOf('b'), 'x', 'y'].sort())
  assert.is(gates.find(({ name }) => name === 'uniqueIds')!.measured, 0)
})

test('merges exact duplicates only where the profile asks for it', async () => {
  const rows = clustered(100)
  const items = rows.items.map((item, row) => (row === 4 ? rows.items[0]! : item))
  const same = { ...rows, items }
  same.vectors!.copyWithin(4 * DIMENSIONS, 0, DIMENSIONS)
  assert.is((await splitRows(same)).answer.json.items, 100)
  assert.is((await splitRows(same, 'split: {duplicates: merge}')).answer.json.items, 99)
})

test('refuses clusters that are not those of the centroids, and leaves nothing under the name', async () => {
  const rows = clustered(100)
  const swapped = Int32Array.from(rows.clusters!, (cluster) => (cluster + 1) % 4)
  const root = makeTempDir()
  const error = await raised('gate', splitRows({ ...rows, clusters: swapped }, '', root))
  assert.match(error.message, 'selfRouting is 0, expected >= 0.9')
  assert.match(error.hint ?? '', '--repair centroids')
  assert.equal(await readdir(root), [])
})

test('repairs centroids from the rows of each cluster', async () => {
  const rows = clustered(100)
  const swapped = { ...rows, clusters: Int32Array.from(rows.clusters!, (cluster) => (cluster + 1) % 4) }
  const { context, gates } = makeSplitContext(makeTempDir(), makeInput(swapped))
  await split(context, { path: 'rows', repair: 'centroids' })
  assert.is(gates.find(({ name }) => name === 'selfRouting')!.measured, 1)
  const without = makeSplitContext(makeTempDir(), makeInput(makeRows(100)))
  await raised('usage', split(without.context, { path: 'rows', repair: 'centroids' }))
})

test('tells the SHA-256 of what is on disk, also where rows were left out', async () => {
  const rows = clustered(120)
  rows.vectors![9 * DIMENSIONS] = Number.NaN
  const { context, gateContext } = await splitRows(rows)
  const manifest = await context.generations.read('dg_1')
  assert.ok((await context.generations.measure(manifest, gateContext)).every(({ passed }) => passed))
})

test('has nothing to do when the input and the settings are those of the newest generation', async () => {
  const { root } = await splitRows(clustered(60))
  const again = await splitRows(clustered(60), '', root)
  assert.is(again.answer.outcome, 'nothing-to-do')
  assert.is(again.answer.json.generation, 'dg_1')
  const changed = await splitRows({ ...clustered(60), modifiedMs: 2 }, '', root)
  assert.is(changed.answer.json.generation, 'dg_2')
  const manifest = await changed.context.generations.read('dg_2')
  assert.is(manifest.parent?.name, 'dg_1')
})

test('never changes a generation that exists', async () => {
  const { root } = await splitRows(clustered(60))
  const other = makeSplitContext(root, makeInput({ ...clustered(64), modifiedMs: 2 }))
  const error = await raised('usage', split(other.context, { path: 'rows', generation: 'dg_1' }))
  assert.match(error.hint ?? '', 'dg_2')
})

test('refuses a size that changed too much against the generation before', async () => {
  const { root } = await splitRows(clustered(200))
  const error = await raised('gate', splitRows({ ...clustered(80), modifiedMs: 2 }, '', root))
  assert.match(error.message, /sizeChange is 0.6.*200 items in dg_1, 80 now/)
})

test("measures the user's own pairs, and names the line of one that no item has", async () => {
  const rows = clustered(100)
  const pairs = join(makeTempDir(), 'golden.jsonl')
  const settings = `split: {goldenPairs: ${pairs}}`
  const embedder = { embed: async () => rows.vectors!.slice(0, DIMENSIONS) }
  const run = (text: string) =>
    writeFile(pairs, text).then(() => {
      const { context } = makeSplitContext(makeTempDir(), makeInput(rows), `${settings}\ngates: {model: 0}`)
      return split({ ...context, embedder }, { path: 'rows' })
    })
  const near = idOf('text "0" é')
  assert.is((await run(`\n${JSON.stringify({ query: 'q', id: near })}\n`)).outcome, 'done')
  const missed = await raised('gate', run(JSON.stringify({ query: 'q', id: idOf('text "1" é') })))
  assert.match(missed.message, 'golden is 0')
  const unknown = await raised('usage', run(`\n\n${JSON.stringify({ query: 'q', id: 'nobody' })}`))
  assert.match(unknown.message, 'line 3')
})

test('refuses embeddings of other dimensions than the model has', async () => {
  const { context } = makeSplitContext(makeTempDir(), { ...makeInput(clustered(20)), dimensions: 8 })
  const error = await raised('usage', split(context, { path: 'rows' }))
  assert.match(error.message, '8 dimensions')
})

test('leaves nothing behind when the input fails, the disk is full, or the operator interrupts', async () => {
  const root = makeTempDir()
  const input = makeInput(clustered(200))
  const breaking = (reason: () => never) => ({
    ...input,
    async *read(signal: AbortSignal) {
      for await (const batch of input.read(signal)) {
        yield batch
        reason()
      }
    },
  })
  const failing = makeSplitContext(
    root,
    breaking(() => {
      throw Object.assign(new Error('write failed'), { code: 'EIO' })
    }),
  )
  await split(failing.context, { path: 'rows' }).then(
    () => assert.unreachable(),
    (error) => assert.is(error.code, 'EIO'),
  )
  assert.equal(await readdir(root), [])

  const controller = new AbortController()
  const interrupted = makeSplitContext(
    root,
    breaking(() => controller.abort(new Error('interrupted')) as never),
  )
  await split({ ...interrupted.context, signal: controller.signal }, { path: 'rows' }).then(
    () => assert.unreachable(),
    (error) => assert.is(error.message, 'interrupted'),
  )
  assert.equal(await readdir(root), [])

  const huge = { ...input, files: [{ path: 'rows', bytes: 2 ** 60, modifiedMs: 1 }] }
  const error = await raised('remote', split(makeSplitContext(root, huge).context, { path: 'rows' }))
  assert.match(error.message, 'no space left')
  assert.equal(await readdir(root), [])
})

test('removes what dead runs left, and nothing of living ones', async () => {
  const root = makeTempDir()
  await mkdir(join(root, '.dg_7.partial-999999999-1', 'clust_0'), { recursive: true })
  const alive = `.dg_8.partial-${process.pid}-0`
  await mkdir(join(root, alive))
  await splitRows(clustered(60), '', root)
  assert.equal((await readdir(root)).sort(), [alive, 'dg_1'].sort())
})

test('leaves the name to whoever was faster', async () => {
  const root = makeTempDir()
  const { context } = makeSplitContext(root, makeInput(clustered(60)))
  const writer = createGenerationWriter(root)
  const racing: GenerationWriter = {
    ...writer,
    async begin(spec) {
      await mkdir(join(root, 'dg_1', 'clust_0'), { recursive: true })
      return writer.begin(spec)
    },
  }
  await raised('usage', split({ ...context, writer: racing }, { path: 'rows' }))
  assert.equal(await readdir(join(root, 'dg_1')), ['clust_0'])
  assert.equal(await readdir(root), ['dg_1'])
})

test.run()
