import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isMatching, parseFilter } from '../../lib/domain/filter.ts'
import { type Manifest, searchFile, shardFile } from '../../lib/domain/manifest.ts'
import type { ShardKind } from '../../lib/domain/shard-search.ts'
import { checkShard } from '../../services/index/check.ts'
import { readIndexSettings } from '../../services/index/index-settings.ts'
import { createSearcher, startSearchThreads } from '../../services/index/searcher.ts'
import { makeGeneration } from '../support/generation.ts'
import { makeQuestions } from '../support/questions.ts'
import {
  call,
  readShard,
  renderRefs,
  runToEnd,
  type ServiceProcess,
  startService,
} from '../support/services.ts'
import { makeTempDir } from '../support/temp.ts'

const directory = makeTempDir()
const DIMENSIONS = 32
const CLUSTER = 0
const KINDS: readonly ShardKind[] = ['exact', 'exact-i8', 'hnsw']
const LANGUAGES = ['en', 'de', 'fr']
const payload = (index: number) => ({ lang: LANGUAGES[index % 3]!, year: 2000 + (index % 20) })
const texts = makeQuestions('q', 900).map(({ text }) => text)

type Row = { id: string; text: string; lang: string; year: number; vector: number[] }
const manifests = new Map<ShardKind, Manifest>()
const services = new Map<ShardKind, ServiceProcess>()
let rows: Row[]

const environment = (served: readonly Manifest[], more: Record<string, string> = {}) => ({
  DATA_DIR: directory,
  CLUSTER: String(CLUSTER),
  GENERATIONS: renderRefs(served),
  THREADS: '2',
  ...more,
})

test.before(async () => {
  for (const [index, search] of KINDS.entries()) {
    const options = { name: `dg_${index + 1}`, dimensions: DIMENSIONS, clusters: 2, texts, payload, search }
    const manifest = await makeGeneration(directory, options)
    manifests.set(search, manifest)
    services.set(search, await startService('index', environment([manifest], { SELF_CHECK: '1' })))
  }
  rows = (await readShard(`${directory}/dg_1`, CLUSTER, DIMENSIONS)) as Row[]
})
test.after(async () => {
  for (const service of services.values()) await service.stop()
})

const search = (kind: ShardKind, body: Record<string, unknown>) =>
  call(`${services.get(kind)!.url}/v1/search`, { generation: manifests.get(kind)!.generation, ...body })
type Hit = { id: string; score: number; item: Row }

test('searches by the kind of the manifest, with exact scores, and says which it was', async () => {
  const vectors = rows.slice(0, 20).map(({ vector }) => vector)
  const exact = (await search('exact', { vectors, k: 5 })).body
  assert.is(exact.kind, 'exact')
  for (const kind of ['exact-i8', 'hnsw'] as const) {
    const { body } = await search(kind, { vectors, k: 5 })
    assert.is(body.kind, kind)
    let found = 0
    for (const [query, hits] of (body.hits as Hit[][]).entries()) {
      assert.is(hits.length, 5)
      for (const hit of hits) {
        const same = (exact.hits[query] as Hit[]).find(({ id }) => id === hit.id)
        if (!same) continue
        found++
        assert.is(hit.score, same.score)
      }
    }
    assert.ok(found >= 90, `${kind}: ${found} of 100`)
  }
})

test('compares all vectors when it is told to, whatever the manifest says', async () => {
  const manifest = manifests.get('hnsw')!
  const service = await startService('index', environment([manifest], { SEARCH_KIND: 'exact' }))
  const question = { generation: manifest.generation, vectors: [rows[0]!.vector], k: 3 }
  const { body } = await call(`${service.url}/v1/search`, question)
  assert.is(body.kind, 'exact')
  await service.stop()
})

test('finds the best of the matching items, exactly for every kind', async () => {
  const filters = [
    { lang: 'de' },
    { lang: { in: ['de', 'fr'] }, year: { gte: 2003, lt: 2009 } },
    { text: rows[7]!.text },
    { lang: 'none' },
    { absent: 1 },
    { year: '2003' },
  ]
  for (const kind of KINDS) {
    for (const filter of filters) {
      const query = rows[3]!
      const { status, body } = await search(kind, { vectors: [query.vector], k: 8, filter })
      assert.is(status, 200, JSON.stringify(body))
      const parsed = parseFilter(filter)
      const scoreOf = ({ vector }: Row) => vector.reduce((sum, x, at) => sum + x * query.vector[at]!, 0)
      const best = rows.filter((row) => isMatching(parsed, row)).map(scoreOf)
      best.sort((a, b) => b - a)
      const hits = body.hits[0] as Hit[]
      assert.is(hits.length, Math.min(8, best.length))
      for (const [rank, hit] of hits.entries()) {
        assert.ok(isMatching(parsed, hit.item))
        assert.ok(Math.abs(hit.score - best[rank]!) < 1e-5, `${kind} ${JSON.stringify(filter)} ${rank}`)
      }
    }
  }
})

test('takes threshold, filter and deadline in the address as in the body', async () => {
  const { url } = services.get('exact-i8')!
  const { generation } = manifests.get('exact-i8')!
  const vector = rows[3]!.vector
  const bytes = new Uint8Array(Float32Array.from(vector).buffer)
  const filter = encodeURIComponent('{"lang":"de"}')
  const address = `${url}/v1/search?generation=${generation}&k=9&threshold=0.2&filter=${filter}&deadlineMs=60000`
  const binary = await call(address, bytes, 'application/octet-stream')
  const options = { k: 9, threshold: 0.2, filter: { lang: 'de' }, deadlineMs: 60_000 }
  const json = await search('exact-i8', { vectors: [vector], ...options })
  assert.is(json.status, 200)
  assert.equal(binary.body.hits, json.body.hits)
  assert.ok(json.body.hits[0].length > 0)
})

test('leaves out hits below the threshold', async () => {
  for (const kind of KINDS) {
    const { body } = await search(kind, { vectors: [rows[0]!.vector, rows[1]!.vector], k: 50 })
    const threshold = body.hits[0][10].score
    const cut = (await search(kind, { vectors: [rows[0]!.vector, rows[1]!.vector], k: 50, threshold })).body
    for (const query of [0, 1]) {
      assert.equal(
        cut.hits[query],
        (body.hits[query] as Hit[]).filter(({ score }) => score >= threshold),
      )
    }
    assert.ok(cut.hits[0].length >= 11 && cut.hits[0].length < 50)
  }
})

test('does not search what nobody waits for any more', async () => {
  const answer = await search('exact', { vectors: [rows[0]!.vector], deadlineMs: 0 })
  assert.is(answer.status, 503)
  assert.is(answer.body.error.code, 'deadline')
  assert.is(answer.headers['retry-after'], '1')
})

test('answers more requests than it holds with an error that says when to come again', async () => {
  const vectors = rows.slice(0, 50).map(({ vector }) => vector)
  const body = JSON.stringify({ generation: 'dg_1', vectors: [...vectors, ...vectors, ...vectors], k: 100 })
  const { url } = services.get('exact')!
  const answers = await Promise.all(Array.from({ length: 30 }, () => call(`${url}/v1/search`, body)))
  const refused = answers.filter(({ status }) => status !== 200)
  for (const { status, body, headers } of refused) {
    assert.equal([status, body.error.code, headers['retry-after']], [503, 'overloaded', '1'])
  }
  assert.ok(answers.length > refused.length)
})

test('refuses filters, thresholds and deadlines that are none', async () => {
  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ filter: {} }, /^filter/],
    [{ filter: '{"lang":"de"}' }, /^filter/],
    [{ filter: { year: { about: 3 } } }, /^filter\.year/],
    [{ threshold: 'high' }, /^threshold/],
    [{ threshold: null }, /^threshold/],
    [{ deadlineMs: -1 }, /^deadlineMs/],
  ]
  for (const [more, message] of wrong) {
    const { status, body } = await search('exact', { vectors: [rows[0]!.vector], ...more })
    assert.is(status, 400, JSON.stringify(more))
    assert.match(body.error.message, message)
  }
  const bytes = new Uint8Array(DIMENSIONS * 4)
  for (const more of ['threshold=x', 'threshold=', 'deadlineMs=', 'filter={', 'filter=1', 'k=']) {
    const address = `${services.get('exact')!.url}/v1/search?generation=dg_1&${more}`
    assert.is((await call(address, bytes, 'application/octet-stream')).status, 400, more)
  }
})

test('says that a member cannot be held in memory instead of filtering wrongly', async () => {
  const manifest = manifests.get('exact')!
  const service = await startService('index', environment([manifest], { FILTER_MEMORY_MB: '0.004' }))
  const ask = (filter: unknown) =>
    call(`${service.url}/v1/search`, { generation: 'dg_1', vectors: [rows[0]!.vector], filter })
  for (const filter of [{ text: rows[0]!.text }, { text: { gt: '' }, lang: 'de' }]) {
    const { status, body } = await ask(filter)
    assert.equal([status, body.error.code], [413, 'filter_too_large'])
    assert.match(body.error.message, /text/)
  }
  assert.is((await ask({ lang: 'de' })).status, 200)
  await service.stop()
})

test('passes golden queries by the recall that was measured', async () => {
  for (const kind of KINDS) {
    const { generation } = manifests.get(kind)!
    const { body } = await call(`${services.get(kind)!.url}/v1/check/${generation}`)
    assert.is(body.passed, true, JSON.stringify(body))
    assert.ok(body.recall >= (kind === 'hnsw' ? 0.9 : 1))
  }
})

for (const kind of KINDS) {
  test(`does not pass golden queries with the shard of something else, searched by ${kind}`, async () => {
    const dataDirectory = makeTempDir()
    const options = { name: 'dg_1', dimensions: DIMENSIONS, clusters: 2, texts, search: kind }
    const manifest = await makeGeneration(dataDirectory, options)
    const entry = manifest.clusters[CLUSTER]!
    const path = join(dataDirectory, 'dg_1', searchFile(entry) ?? shardFile(CLUSTER, 'vectors'))
    const check = async () => {
      const searcher = createSearcher(startSearchThreads(1))
      await searcher.open({ dataDirectory, cluster: CLUSTER, manifests: [manifest], isExact: false })
      return await checkShard(searcher, manifest, CLUSTER, new AbortController().signal)
    }
    assert.is((await check()).passed, true)
    writeFileSync(path, moveRows(readFileSync(path), kind, entry.items))
    const { passed, problem } = await check()
    assert.is(passed, false)
    assert.match(problem!, kind === 'exact' ? /golden query \d+: / : /recall 0\.\d+ by/)
  })
}

test('does not come up with the vectors of another generation, however it is searched', async () => {
  const dataDirectory = makeTempDir()
  const options = { name: 'dg_1', dimensions: DIMENSIONS, clusters: 2, texts, search: 'exact-i8' } as const
  const manifest = await makeGeneration(dataDirectory, options)
  const path = join(dataDirectory, 'dg_1', shardFile(CLUSTER, 'vectors'))
  writeFileSync(path, moveRows(readFileSync(path), 'exact', manifest.clusters[CLUSTER]!.items))
  const served = { ...environment([manifest], { SELF_CHECK: '1' }), DATA_DIR: dataDirectory }
  const { code, log } = await runToEnd('index', served)
  assert.is(code, 12, log)
  assert.match(log, /does not pass its golden queries: golden query \d+/)
})

/** The file with every vector in the place of another: sizes and headers stay as they are. */
function moveRows(bytes: Buffer, kind: ShardKind, items: number): Buffer {
  const [start, width] = { exact: [128, 4], 'exact-i8': [128, 1], hnsw: [8, 2] }[kind] as [number, number]
  const row = DIMENSIONS * width
  const moved = Buffer.from(bytes)
  for (let at = 0; at < items; at++) {
    bytes.copy(moved, start + at * row, start + (items - 1 - at) * row, start + (items - at) * row)
  }
  return moved
}

test('tells how it searches in its metrics', async () => {
  const { body } = await call(`${services.get('hnsw')!.url}/metrics`)
  assert.match(body, /longshore_search_seconds_count\{[^}]*kind="hnsw"/)
  assert.match(body, /longshore_search_queries_bucket/)
  assert.match(body, /longshore_queries_waiting\{[^}]*\} 0/)
  assert.match(body, /longshore_prepared_threads\{[^}]*generation="dg_3"[^}]*\} 2/)
})

test('refuses settings that mean nothing, and has a thread for each processor up to eight', () => {
  for (const wrong of [
    { THREADS: '0' },
    { THREADS: '1.5' },
    { THREADS: '1000' },
    { SEARCH_KIND: 'hnsw' },
    { REST_AFTER_SECONDS: '0' },
    { REST_AFTER_SECONDS: '1e9' },
  ]) {
    assert.throws(() => readIndexSettings(wrong, 2), new RegExp(Object.keys(wrong)[0]!))
  }
  assert.equal(
    [1, 3, 96].map((processors) => readIndexSettings({}, processors).threads),
    [1, 3, 8],
  )
  assert.is(readIndexSettings({ SEARCH_KIND: 'manifest' }, 2).isExact, false)
})

test.run()
