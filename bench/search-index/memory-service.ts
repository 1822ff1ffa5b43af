import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { request } from 'undici'
import type { Manifest } from '../../lib/domain/manifest.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const KIB_PER_MIB = 1024
const ROUNDS = 10
/** Searched at once, so that every thread of the service gets some. */
const AT_ONCE = 8
/** More than a generation is kept for that is not asked any more. */
const LONGEST_REST_MS = 120_000
const LOOK_MS = 1000

/** In MiB, of a process. */
export type Memory = {
  readonly RSS: number
  readonly 'page cache': number
  readonly anonymous: number
  readonly 'page tables': number
}

export type Service = {
  /** Searches in every generation, in turn. */
  ask(manifests: readonly Manifest[], queries: Float32Array): Promise<void>
  search(manifest: Manifest, query: Float32Array): Promise<void>
  /** Until no thread is prepared for a generation. */
  waitForRest(manifest: Manifest): Promise<void>
  readMemory(): Memory
}

/** Lends an index service on two threads that holds these generations. */
export async function useService<T>(
  directory: string,
  manifests: readonly Manifest[],
  use: (service: Service) => Promise<T>,
): Promise<T> {
  const child = fork(join(ROOT, 'services', 'main.ts'), ['index'], {
    env: {
      HOST: '127.0.0.1',
      DATA_DIR: directory,
      CLUSTER: '0',
      GENERATIONS: manifests.map(({ generation, digest }) => `${generation}@${digest}`).join(),
      THREADS: '2',
      LAME_DUCK_MS: '0',
      GRACE_MS: '0',
    },
  })
  try {
    const [{ listening }] = (await once(child, 'message')) as [{ listening: number }]
    return await use(connect(`http://127.0.0.1:${listening}`, child.pid!))
  } finally {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
}

function connect(url: string, pid: number): Service {
  const search: Service['search'] = async ({ generation }, query) => {
    const body = new Uint8Array(query.buffer, query.byteOffset, query.byteLength)
    const headers = { 'content-type': 'application/octet-stream' }
    const address = `${url}/v1/search?generation=${generation}&k=10`
    const reply = await request(address, { method: 'POST', headers, body })
    const text = await reply.body.text()
    if (reply.statusCode !== 200) throw new Error(text)
  }
  return {
    search,
    readMemory: () => readMemory(pid),
    async ask(manifests, queries) {
      for (let round = 0; round < ROUNDS; round++) {
        for (const manifest of manifests) {
          const { dimensions } = manifest.model
          const query = queries.subarray(round * dimensions, (round + 1) * dimensions)
          await Promise.all(Array.from({ length: AT_ONCE }, () => search(manifest, query)))
        }
      }
    },
    async waitForRest({ generation }) {
      const end = performance.now() + LONGEST_REST_MS
      for (;;) {
        const { body } = await request(`${url}/metrics`)
        const prepared = `longshore_prepared_threads{[^}]*generation="${generation}"`
        if (!new RegExp(prepared).test(await body.text())) return
        if (performance.now() > end) throw new Error(`${generation} does not rest`)
        await wait(LOOK_MS)
      }
    },
  }
}

function readMemory(pid: number): Memory {
  const read = (file: string, name: string) => {
    const text = readFileSync(`/proc/${pid}/${file}`, 'utf8')
    const [, kib] = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)!
    return Math.round((10 * Number(kib)) / KIB_PER_MIB) / 10
  }
  return {
    RSS: read('smaps_rollup', 'Rss'),
    'page cache': read('smaps_rollup', 'Pss_File'),
    anonymous: read('smaps_rollup', 'Anonymous'),
    'page tables': read('status', 'VmPTE'),
  }
}
