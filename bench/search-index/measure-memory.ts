import { fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { request } from 'undici'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { sign } from './make-kinds.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const KIB_PER_MIB = 1024
const ROUNDS = 10
/** Searched at once, so that every thread of the service gets some. */
const AT_ONCE = 8

/** In MiB, of a process. */
export type Memory = {
  readonly RSS: number
  readonly 'page cache': number
  readonly anonymous: number
  readonly 'page tables': number
}

export const MEMORY_LEGEND = `MiB of the process. RSS counts a page of a file once for each thread that has it mapped; page cache is the share of the
process: a page that others have mapped too counts in parts, and all are given back when memory is short. Only anonymous
memory and page tables belong to the process. A graph takes 70 to 100 bytes of anonymous memory for each item and thread,
where usearch notes the places of its nodes.`

/** Memory of an index service that has searched in one generation, and in two with files of their own. */
export async function compareGenerations(
  directory: string,
  manifest: Manifest,
  queries: Float32Array,
): Promise<{ one: Memory; two: Memory }> {
  const second = copyGeneration(directory, manifest)
  return {
    one: await measureService(directory, [manifest], queries),
    two: await measureService(directory, [manifest, second], queries),
  }
}

function copyGeneration(directory: string, manifest: Manifest): Manifest {
  const { digest: _digest, ...unsigned } = { ...manifest, generation: `${manifest.generation}0` }
  for (const { path, bytes } of manifest.files) {
    if (bytes === 0) continue
    const target = join(directory, unsigned.generation, path)
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(join(directory, manifest.generation, path), target)
  }
  return sign(directory, unsigned)
}

async function measureService(
  directory: string,
  manifests: readonly Manifest[],
  queries: Float32Array,
): Promise<Memory> {
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
    const url = `http://127.0.0.1:${listening}`
    for (let round = 0; round < ROUNDS; round++) {
      for (const { generation, model } of manifests) {
        const query = queries.subarray(round * model.dimensions, (round + 1) * model.dimensions)
        await Promise.all(Array.from({ length: AT_ONCE }, () => search(url, generation, query)))
      }
    }
    return readMemory(child.pid!)
  } finally {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
}

async function search(url: string, generation: string, query: Float32Array): Promise<void> {
  const body = new Uint8Array(query.buffer, query.byteOffset, query.byteLength)
  const headers = { 'content-type': 'application/octet-stream' }
  const reply = await request(`${url}/v1/search?generation=${generation}&k=10`, {
    method: 'POST',
    headers,
    body,
  })
  const text = await reply.body.text()
  if (reply.statusCode !== 200) throw new Error(text)
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
