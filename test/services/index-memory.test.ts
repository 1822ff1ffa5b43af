import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { makeLargeShard } from '../support/large-shard.ts'
import { call, renderRefs, startService } from '../support/services.ts'
import { makeTempDir } from '../support/temp.ts'

const dimensions = 256
const rows = 50_000
const MIB = 2 ** 20
/** Bytes of the vectors of one generation: what a copy would take at least. */
const LEAST_COPY = rows * dimensions * 4

/** Anonymous memory of an index service that has searched in all its generations, with three threads. */
async function measureAnonymous(directory: string, manifests: readonly Manifest[]): Promise<number> {
  const environment = { DATA_DIR: directory, CLUSTER: '0', GENERATIONS: renderRefs(manifests), THREADS: '3' }
  const service = await startService('index', environment)
  const vector = new Array<number>(dimensions).fill(0.1)
  for (const { generation } of manifests) {
    const ask = () => call(`${service.url}/v1/search`, { generation, vectors: [vector], k: 1 })
    const answers = await Promise.all(Array.from({ length: 9 }, ask))
    assert.ok(answers.every(({ status, body }) => status === 200 && body.kind === 'exact-i8'))
  }
  const text = readFileSync(`/proc/${service.process.pid}/smaps_rollup`, 'utf8')
  await service.stop()
  return Number(/^Anonymous:\s+(\d+)/m.exec(text)![1]) * 1024
}

test('holds another generation in the page cache alone, whatever the number of threads', async () => {
  const directory = makeTempDir()
  const size = { rows, dimensions }
  const manifests = ['dg_1', 'dg_2'].map((name) => makeLargeShard(directory, name, size))
  const one = await measureAnonymous(directory, manifests.slice(0, 1))
  const two = await measureAnonymous(directory, manifests)
  const growth = `${Math.round((two - one) / MIB)} MiB more for ${Math.round(LEAST_COPY / MIB)} MiB of vectors`
  assert.ok(two - one < LEAST_COPY / 4, growth)
})

test.run()
