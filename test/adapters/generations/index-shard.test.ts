import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkShard, type Indexed, indexShard } from '../../../lib/adapters/generations/index-shard.ts'
import type { ApproximateSearch, ShardJob } from '../../../lib/adapters/generations/shard-job.ts'
import { quantise } from '../../../lib/adapters/search/codes.ts'
import { searchQuantised } from '../../../lib/adapters/search/quantised.ts'
import { GOLDEN_K } from '../../../lib/domain/golden.ts'
import { METRICS } from '../../../lib/domain/model.ts'
import { measureShardRecall } from '../../../lib/domain/shard-recall.ts'
import { raised } from '../../support/raised.ts'
import { makeShard, makeVectors } from '../../support/shard.ts'

const DIMENSIONS = 24

const makeSmall = () =>
  makeShard(makeVectors(2000, DIMENSIONS), { dimensions: DIMENSIONS, scoring: 'cosine' })

/** Rows whose differences are lost when the largest number becomes the largest code. */
const makeCoarse = () => {
  const vectors = makeVectors(2000, DIMENSIONS).map((value, at) => (at % DIMENSIONS === 0 ? 900 : value))
  return makeShard(vectors, { dimensions: DIMENSIONS, scoring: 'l2' })
}

const filesOf = ({ directory }: ShardJob) => readdirSync(join(directory, 'clust_3')).sort()
const locate = ({ directory }: ShardJob, { file }: Indexed) => join(directory, file!.path)

function check(job: ShardJob, { search, file }: Indexed) {
  return checkShard({ ...job, search: search as ApproximateSearch, sha256: file!.sha256 })
}

for (const scoring of METRICS) {
  test(`finds the candidates that quantised search finds, and its recall, under ${scoring}`, async () => {
    const vectors = makeVectors(3000, DIMENSIONS)
    const job = makeShard(vectors, { dimensions: DIMENSIONS, scoring })
    const { search } = await indexShard({ ...job, kinds: ['exact-i8'], target: 0.9 })
    if (search.kind !== 'exact-i8') return assert.unreachable()
    const codes = new Int8Array(vectors.length)
    quantise(vectors, search.scale, codes)
    const stored = readFileSync(join(job.directory, 'clust_3/index.i8.npy')).subarray(128)
    assert.ok(stored.equals(new Uint8Array(codes.buffer)))
    for (const candidates of [11, 14, search.candidates]) {
      const options = { dimensions: DIMENSIONS, metric: scoring, k: GOLDEN_K + 1, candidates }
      const found = searchQuantised({ vectors, codes, scale: search.scale }, job.queries, options)
      const recall = measureShardRecall(job.wanted, (query) =>
        found.rows
          .slice(query * found.perQuery, (query + 1) * found.perQuery)
          .filter((row) => row !== job.wanted[query]!.own)
          .slice(0, GOLDEN_K),
      )
      const checked = await checkShard({ ...job, search: { ...search, candidates }, sha256: '' })
      assert.is(checked.recall, recall, `${candidates} candidates`)
      assert.ok(candidates > 11 || recall < 1)
    }
  })

  test(`builds a graph that is searched as far as the recall needs, under ${scoring}`, async () => {
    const job = makeShard(makeVectors(3000, DIMENSIONS), { dimensions: DIMENSIONS, scoring })
    const indexed = await indexShard({ ...job, kinds: ['hnsw'], target: 0.95 })
    if (indexed.search.kind !== 'hnsw') return assert.unreachable()
    assert.ok(indexed.search.recall >= 0.95)
    assert.is((await check(job, indexed)).recall, indexed.search.recall)
    const shallow = { ...indexed, search: { ...indexed.search, expansion: 1 } }
    assert.ok((await check(job, shallow)).recall < indexed.search.recall)
  })
}

test('tells the length and SHA-256 of the file as it is on disk', async () => {
  for (const kind of ['exact-i8', 'hnsw'] as const) {
    const job = makeSmall()
    const indexed = await indexShard({ ...job, kinds: [kind], target: 0 })
    const bytes = readFileSync(locate(job, indexed))
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    assert.equal(indexed.file, { path: indexed.file!.path, bytes: bytes.length, sha256 })
    assert.equal((await check(job, indexed)).file, indexed.file)
  }
})

test('takes the next kind where the recall is too low, and leaves nothing of the first', async () => {
  const job = makeCoarse()
  const indexed = await indexShard({ ...job, kinds: ['exact-i8', 'exact'], target: 0.99 })
  assert.equal(indexed, { search: { kind: 'exact' }, file: null })
  assert.equal(filesOf(job), ['vectors.npy'])
})

test('keeps the only kind that it may take, with the recall that it has', async () => {
  const job = makeCoarse()
  const { search, file } = await indexShard({ ...job, kinds: ['exact-i8'], target: 0.99 })
  assert.is(search.kind, 'exact-i8')
  assert.ok(search.kind === 'exact-i8' && search.recall < 0.9)
  assert.is(file!.path, 'clust_3/index.i8.npy')
})

test('writes nothing for a shard that is searched exactly', async () => {
  const job = makeSmall()
  assert.is((await indexShard({ ...job, kinds: ['exact'], target: 1 })).file, null)
  assert.equal(filesOf(job), ['vectors.npy'])
})

test('writes codes for rows that are all zero', async () => {
  const job = makeShard(new Float32Array(40 * DIMENSIONS), {
    dimensions: DIMENSIONS,
    scoring: 'dot',
    queries: 1,
  })
  const { search } = await indexShard({ ...job, kinds: ['exact-i8'], target: 1 })
  assert.ok(search.kind === 'exact-i8' && search.scale === 127)
})

test('calls codes of another shape or length corrupt, and a graph that is not whole', async () => {
  const job = makeSmall()
  const codes = await indexShard({ ...job, kinds: ['exact-i8'], target: 0 })
  await raised('corrupt', check({ ...job, items: 1999 }, codes))
  truncateSync(locate(job, codes), 5000)
  assert.match((await raised('corrupt', check(job, codes))).message, /index\.i8\.npy: has 5000 bytes/)

  const graph = await indexShard({ ...job, kinds: ['hnsw'], target: 0 })
  truncateSync(locate(job, graph), 5000)
  const cut = readFileSync(locate(job, graph))
  const file = { ...graph.file!, sha256: createHash('sha256').update(cut).digest('hex') }
  await raised('corrupt', check(job, { ...graph, file }))
})

test('does not open a graph that is not the one of the manifest', async () => {
  const job = makeSmall()
  const graph = await indexShard({ ...job, kinds: ['hnsw'], target: 0 })
  const bytes = readFileSync(locate(job, graph))
  writeFileSync(locate(job, graph), bytes.fill(0xff))
  const { recall, file } = await check(job, graph)
  assert.is(recall, 0)
  assert.is.not(file.sha256, graph.file!.sha256)
})

test.run()
