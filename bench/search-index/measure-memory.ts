import { fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { request } from 'undici'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { sign } from './make-kinds.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const MIB = 1024

export type Memory = { readonly 'RSS MiB': number; readonly 'anonymous MiB': number }

/** Memory of an index service that has searched in one generation, and in two with files of their own. */
export async function compareGenerations(
  directory: string,
  manifest: Manifest,
  query: Float32Array,
): Promise<{ one: Memory; two: Memory }> {
  const second = copyGeneration(directory, manifest)
  return {
    one: await measureService(directory, [manifest], query),
    two: await measureService(directory, [manifest, second], query),
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
  query: Float32Array,
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
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        manifests.map(({ generation }) => search(`http://127.0.0.1:${listening}`, generation, query)),
      )
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
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const read = (name: string) =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)![1]) / MIB)
  return { 'RSS MiB': read('Rss'), 'anonymous MiB': read('Anonymous') }
}
