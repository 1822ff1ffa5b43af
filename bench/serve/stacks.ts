import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { request } from 'undici'
import { MANIFEST_FILE, type Manifest } from '../../lib/domain/manifest.ts'
import { indexServiceName } from '../../lib/domain/service.ts'

export type Stack = { readonly url: string; stop(): Promise<void> }

export const PYTHON = '/usr/bin/python3'
export const CLUSTERS = 4
const ROOT = join(import.meta.dirname, '..', '..')
const START_MS = 120_000

/** One index service for each cluster of `<directory>/dgs/dg_1`, and a gateway that answers nothing from a cache. */
export async function startLongshore(directory: string): Promise<Stack> {
  const dataDirectory = join(directory, 'dgs')
  const manifest = JSON.parse(readFileSync(join(dataDirectory, 'dg_1', MANIFEST_FILE), 'utf8')) as Manifest
  const env = {
    HOST: '127.0.0.1',
    DATA_DIR: dataDirectory,
    GENERATIONS: `${manifest.generation}@${manifest.digest}`,
    LAME_DUCK_MS: '0',
    GRACE_MS: '0',
    // As `index.threads: 1` in a profile: there are more services here than processors.
    THREADS: '1',
  }
  const children: ChildProcess[] = []
  const start = async (kind: string, more: Record<string, string>) => {
    const child = fork(join(ROOT, 'services', 'main.ts'), [kind], {
      env: { ...env, ...more },
      stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
    })
    children.push(child)
    const [{ listening }] = (await once(child, 'message')) as [{ listening: number }]
    return `http://127.0.0.1:${listening}`
  }
  const endpoints: Record<string, string[]> = {}
  for (let cluster = 0; cluster < CLUSTERS; cluster++) {
    endpoints[indexServiceName(cluster)] = [await start('index', { CLUSTER: String(cluster) })]
  }
  const ENDPOINTS_FILE = join(directory, 'endpoints.json')
  writeFileSync(ENDPOINTS_FILE, JSON.stringify(endpoints))
  const gateway = await start('gateway', { ENDPOINTS_FILE, CACHE_ENTRIES: '0' })
  await waitUntilAnswered(`${gateway}/readyz`)
  return { url: `${gateway}/v1/search`, stop: () => stopAll(children) }
}

/** The reference system's gateway and index services in Flask, which ask faiss, over the same vectors. */
export async function startReference(directory: string, route: 'nearest' | 'farthest'): Promise<Stack> {
  const children: ChildProcess[] = []
  const start = async (script: string, port: number, args: readonly string[]) => {
    const path = join(import.meta.dirname, script)
    children.push(spawn(PYTHON, [path, ...args], { stdio: 'ignore' }))
    await waitUntilAnswered(`http://127.0.0.1:${port}/`)
  }
  const ports: number[] = []
  for (let cluster = 0; cluster < CLUSTERS; cluster++) {
    const port = await findPort()
    await start('reference_index.py', port, [directory, String(cluster), String(port)])
    ports.push(port)
  }
  const port = await findPort()
  await start('reference_gateway.py', port, [directory, String(port), ...ports.map(String), route])
  return { url: `http://127.0.0.1:${port}/input`, stop: () => stopAll(children) }
}

/** Waits until somebody answers anything but that it is not ready. */
async function waitUntilAnswered(url: string): Promise<void> {
  for (const end = performance.now() + START_MS; performance.now() < end; await wait(50)) {
    const status = await request(url).then(
      async ({ statusCode, body }) => {
        await body.dump()
        return statusCode
      },
      () => undefined,
    )
    if (status !== undefined && status !== 503) return
  }
  throw new Error(`${url} does not answer`)
}

async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function stopAll(children: readonly ChildProcess[]): Promise<void> {
  const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
  const ended = running.map((child) => once(child, 'exit'))
  for (const child of running) child.kill('SIGTERM')
  await Promise.all(ended)
}
