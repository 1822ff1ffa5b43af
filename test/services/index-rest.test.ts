import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { eventually } from '../support/eventually.ts'
import { makeLargeShard } from '../support/large-shard.ts'
import { clusteredRows } from '../support/rows.ts'
import { call, renderRefs, type ServiceProcess, startService } from '../support/services.ts'
import { makeTempDir } from '../support/temp.ts'

const MIB = 2 ** 20
const THREADS = 4
const [dimensions, rows, queries] = [8, 70_000, 20]
/** Of the hash tables alone: 16 bytes in each of twice as many places as the next power of two. */
const LEAST_TABLES = THREADS * 2 ** 18 * 16
const asked = clusteredRows(queries, { dimensions, seed: 3 })
const directory = makeTempDir()
let manifests: Manifest[]

test.before(() => {
  manifests = ['dg_1', 'dg_2'].map((name, at) =>
    makeLargeShard(directory, name, { rows, dimensions, kind: 'hnsw', seed: at + 1 }),
  )
})

const start = (served: readonly Manifest[]) =>
  startService('index', {
    DATA_DIR: directory,
    CLUSTER: '0',
    GENERATIONS: renderRefs(served),
    THREADS: String(THREADS),
    REST_AFTER_SECONDS: '0.5',
  })
let service: ServiceProcess
test.after(async () => {
  await service?.stop()
})

/** The hits of `count` queries, asked at once. */
async function ask({ url }: ServiceProcess, generation: string, count: number): Promise<unknown[]> {
  const question = (at: number) => {
    const vector = [...asked.subarray((at % queries) * dimensions, ((at % queries) + 1) * dimensions)]
    return call(`${url}/v1/search`, { generation, vectors: [vector], k: 5 })
  }
  const answers = await Promise.all(Array.from({ length: count }, (_, at) => question(at)))
  for (const { status, body } of answers) {
    assert.equal([status, body.kind, body.generation], [200, 'hnsw', generation], JSON.stringify(body))
  }
  return answers.map(({ body }) => body.hits)
}

/** Waits until no thread, or every one, is prepared for a generation. */
const waitUntilPrepared = ({ url }: ServiceProcess, generation: string, threads: number) =>
  eventually(async () => {
    const { body } = await call(`${url}/metrics`)
    const [, found = '0'] =
      new RegExp(`longshore_prepared_threads{[^}]*generation="${generation}"[^}]*} (\\d+)`).exec(body) ?? []
    assert.is(Number(found), threads)
  })

const readAnonymous = ({ process: { pid } }: ServiceProcess) =>
  Number(/^Anonymous:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1]) * 1024

test('holds another generation with a graph in the page cache alone, once nobody asks it any more', async () => {
  const alone = await start(manifests.slice(1))
  await ask(alone, 'dg_2', 80)
  const one = readAnonymous(alone)
  assert.is(await alone.stop(), 0)
  service = await start(manifests)
  for (const generation of ['dg_1', 'dg_2']) await ask(service, generation, 40)
  await waitUntilPrepared(service, 'dg_1', 0)
  await waitUntilPrepared(service, 'dg_2', THREADS)
  const growth = readAnonymous(service) - one
  assert.ok(
    growth < LEAST_TABLES / 2,
    `${Math.round(growth / MIB)} MiB more, tables take ${LEAST_TABLES / MIB}`,
  )
})

test('answers a generation that rests as before, also many queries at once, and lets it rest again', async () => {
  const right = { dg_1: await ask(service, 'dg_1', queries), dg_2: await ask(service, 'dg_2', queries) }
  assert.not.equal(right.dg_1, right.dg_2)
  for (const [awake, resting] of [
    ['dg_2', 'dg_1'],
    ['dg_1', 'dg_2'],
    ['dg_2', 'dg_1'],
  ] as const) {
    await ask(service, awake, 1)
    await waitUntilPrepared(service, resting, 0)
    const [woken, meanwhile] = await Promise.all([ask(service, resting, 200), ask(service, awake, 100)])
    for (const [at, hits] of woken.entries()) assert.equal(hits, right[resting][at % queries])
    for (const [at, hits] of meanwhile.entries()) assert.equal(hits, right[awake][at % queries])
  }
  await ask(service, 'dg_2', 1)
  await waitUntilPrepared(service, 'dg_1', 0)
  assert.is(await service.stop(), 0)
})

test.run()
