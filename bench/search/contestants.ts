import { execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Agent, request } from 'undici'
import type { Manifest } from '../../lib/domain/manifest.ts'

/** Ids and scores of every query, and how long all of them took. */
export type Round = {
  readonly seconds: number
  readonly ids: readonly (readonly number[])[]
  readonly scores: readonly (readonly number[])[]
}

/** Somebody who answers all queries, so many per call. */
export type Contestant = { run(perCall: number): Promise<Round>; stop(): Promise<void> }

const PYTHON = '/usr/bin/python3'
const ROOT = join(import.meta.dirname, '..', '..')

/** Raises an error that tells what to install where faiss is missing. */
export function requirePeer(): void {
  try {
    execFileSync(PYTHON, ['-c', 'import faiss, numpy'], { stdio: 'pipe' })
  } catch (error) {
    throw new Error('the peer is missing: apt-get install python3-faiss python3-numpy', { cause: error })
  }
}

/** One index service as it is deployed, asked over HTTP by one client that waits for each answer. */
export async function startService(
  directory: string,
  manifest: Manifest,
  queries: Float32Array,
  k: number,
): Promise<Contestant> {
  const child = fork(join(ROOT, 'services', 'main.ts'), ['index'], {
    env: {
      HOST: '127.0.0.1',
      DATA_DIR: directory,
      CLUSTER: '0',
      GENERATIONS: `${manifest.generation}@${manifest.digest}`,
      THREADS: '1',
      LAME_DUCK_MS: '0',
      GRACE_MS: '0',
    },
  })
  const [{ listening }] = (await once(child, 'message')) as [{ listening: number }]
  const dispatcher = new Agent({ connections: 1 })
  const url = `http://127.0.0.1:${listening}/v1/search?generation=${manifest.generation}&k=${k}`
  const { dimensions } = manifest.model
  const ask = async (rows: Float32Array): Promise<{ id: string; score: number }[][]> => {
    const body = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength)
    const headers = { 'content-type': 'application/octet-stream' }
    const reply = await request(url, { method: 'POST', dispatcher, headers, body })
    if (reply.statusCode !== 200) throw new Error(await reply.body.text())
    return ((await reply.body.json()) as { hits: { id: string; score: number }[][] }).hits
  }
  await ask(queries.subarray(0, dimensions))
  return {
    async run(perCall) {
      const hits: { id: string; score: number }[][] = []
      const start = performance.now()
      for (let at = 0; at < queries.length; at += perCall * dimensions) {
        hits.push(...(await ask(queries.subarray(at, at + perCall * dimensions))))
      }
      const seconds = (performance.now() - start) / 1000
      const ids = hits.map((list) => list.map(({ id }) => Number(id.slice(1))))
      return { seconds, ids, scores: hits.map((list) => list.map(({ score }) => score)) }
    },
    async stop() {
      await dispatcher.close()
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

/** faiss in a process of its own, on one thread. */
export async function startPeer(
  vectorsFile: string,
  queriesFile: string,
  dimensions: number,
  k: number,
): Promise<Contestant> {
  const parameters = [vectorsFile, queriesFile, String(dimensions), String(k)]
  const child = spawn(PYTHON, [join(import.meta.dirname, 'peer.py'), ...parameters], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  await lines.next()
  return {
    async run(perCall) {
      child.stdin.write(`${perCall}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error('the peer has ended')
      return JSON.parse(value) as Round
    },
    async stop() {
      child.stdin.end()
      await once(child, 'exit')
    },
  }
}
