import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GenerationInput } from '../../lib/adapters/inputs/generation.ts'
import { split } from '../../lib/flows/split.ts'
import type { Input } from '../../lib/ports/input.ts'
import type { Progress } from '../../lib/ports/reporter.ts'
import { raised } from '../support/raised.ts'
import { makeClusters, makeInput, makeRows, makeSplitContext } from '../support/split.ts'
import { makeTempDir } from '../support/temp.ts'

const INPUT = makeInput({ ...makeRows(400), ...makeClusters(400) })

async function splitWith(settings: string, input: Input = INPUT, root = makeTempDir()) {
  const world = makeSplitContext(root, input, settings)
  const answer = await split(world.context, { path: 'rows' })
  const name = answer.json.generation as string
  return { ...world, answer, root, name, manifest: await world.context.generations.read(name) }
}

const filesOf = (root: string, name: string, cluster: number) => readdir(join(root, name, `clust_${cluster}`))

test('searches small shards exactly, and says so', async () => {
  const { manifest, root, gates } = await splitWith('')
  assert.equal(
    manifest.clusters.map(({ search }) => search),
    new Array(4).fill({ kind: 'exact' }),
  )
  assert.equal((await filesOf(root, 'dg_1', 0)).sort(), ['items.idx', 'items.jsonl', 'vectors.npy'])
  assert.is(gates.find(({ name }) => name === 'search')!.detail, 'every shard is searched exactly')
})

for (const [kind, file] of [
  ['exact-i8', 'index.i8.npy'],
  ['hnsw', 'index.usearch'],
] as const) {
  test(`makes the shards of a profile that names ${kind}, with their files and a measured recall`, async () => {
    const { manifest, root, gates } = await splitWith(`split: {search: ${kind}}`)
    const gate = gates.find(({ name }) => name === 'search')!
    const recalls = manifest.clusters.map(({ search }) => {
      assert.is(search?.kind, kind)
      return search?.kind === 'exact' ? 1 : search!.recall
    })
    assert.is(gate.measured, Math.min(...recalls))
    assert.is(manifest.quality.search, gate.measured)
    for (const { id } of manifest.clusters) {
      assert.ok((await filesOf(root, 'dg_1', id)).includes(file))
      assert.ok(manifest.files.some(({ path }) => path === `clust_${id}/${file}`))
    }
  })

  test(`gives the same bytes and digest again, with ${kind}`, async () => {
    const [first, second] = [
      await splitWith(`split: {search: ${kind}}`),
      await splitWith(`split: {search: ${kind}}`),
    ]
    assert.equal(first.manifest.files, second.manifest.files)
    assert.is(first.manifest.digest, second.manifest.digest)
  })
}

test('refuses a kind that a profile names and that finds too little, and leaves nothing', async () => {
  const rows = makeRows(1200)
  // What tells rows apart is lost when the largest number becomes the largest code.
  const vectors = rows.vectors.map((value, at) => (at % 16 === 15 ? 30 : value))
  const input = makeInput({ ...rows, ...makeClusters(1200), vectors })
  const root = makeTempDir()
  const limits = 'gates: {norms: 1e9, selfRouting: 0, recall: 0, golden: 0}'
  const error = await raised('gate', splitWith(`${limits}\nsplit: {search: exact-i8}`, input, root))
  assert.match(error.message, /search is 0\.\d+, expected >= 0\.99 \(worst: clust_\d, exact-i8\)/)
  assert.match(error.hint ?? '', 'split.search')
  assert.equal(await readdir(root), [])
  const lenient = await splitWith(`${limits}\nsplit: {search: exact-i8, searchRecall: 0}`, input, root)
  assert.is(lenient.answer.outcome, 'done')
})

test('leaves nothing behind when the operator interrupts while shards are prepared for searching', async () => {
  const root = makeTempDir()
  const { context } = makeSplitContext(root, makeInput(makeRows(6000)), 'split: {search: hnsw}')
  const controller = new AbortController()
  const progress = ({ task }: Progress) => {
    if (task === 'index') controller.abort(new Error('interrupted'))
  }
  const interrupted = {
    ...context,
    signal: controller.signal,
    reporter: { ...context.reporter, progress },
  }
  await split(interrupted, { path: 'rows' }).then(
    () => assert.unreachable(),
    (error) => assert.is(error.message, 'interrupted'),
  )
  assert.equal(await readdir(root), [])
})

test('makes another generation of the same input where searching is to be different', async () => {
  const { root } = await splitWith('')
  assert.is((await splitWith('', INPUT, root)).answer.outcome, 'nothing-to-do')
  assert.is((await splitWith('split: {search: exact-i8}', INPUT, root)).name, 'dg_2')
  assert.is((await splitWith('split: {search: exact-i8, searchRecall: 0.9}', INPUT, root)).name, 'dg_3')
})

test('chooses anew when it splits a generation, and carries over rows alone', async () => {
  const first = await splitWith('split: {search: exact-i8}')
  const input = new GenerationInput(join(first.root, 'dg_1'))
  const again = await splitWith('', input)
  assert.equal(again.manifest.clusters[0]!.search, { kind: 'exact' })
  assert.not.ok((await filesOf(again.root, 'dg_1', 0)).includes('index.i8.npy'))
  const vectors = ({ manifest }: typeof first) =>
    manifest.files.filter(({ path }) => /vectors|items|centroids/.test(path))
  assert.equal(vectors(again), vectors(first))
})

test.run()
