import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { request } from 'undici'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { indexServiceName } from '../../lib/domain/service.ts'

/** A gateway and two replicas of one shard, each a process of its own. */
export type Fleet = {
  readonly gateway: ChildProcess
  readonly port: number
  readonly replicas: readonly [ChildProcess, ChildProcess]
  /** Starts another replica in the place of the first. */
  replaceFirst(): Promise<void>
  stop(): void
}

const ROOT = join(import.meta.dirname, '..', '..')
const READY_MS = 60_000

export async function startFleet(directory: string, manifest: Manifest): Promise<Fleet> {
  const children: ChildProcess[] = []
  const GENERATIONS = `${manifest.generation}@${manifest.digest}`
  const start = async (kind: string, more: Record<string, string>) => {
    const child = fork(join(ROOT, 'services', 'main.ts'), [kind], {
      env: { HOST: '127.0.0.1', DATA_DIR: directory, GENERATIONS, LAME_DUCK_MS: '0', GRACE_MS: '0', ...more },
      stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
    })
    children.push(child)
    const [{ listening }] = (await once(child, 'message')) as [{ listening: number }]
    return { child, port: listening }
  }
  const startReplica = () => start('index', { CLUSTER: '0', THREADS: '1' })
  const ENDPOINTS_FILE = join(directory, 'endpoints.json')
  const tell = (ports: readonly number[]) => {
    const urls = ports.map((port) => `http://127.0.0.1:${port}`)
    writeFileSync(`${ENDPOINTS_FILE}.tmp`, JSON.stringify({ [indexServiceName(0)]: urls }))
    renameSync(`${ENDPOINTS_FILE}.tmp`, ENDPOINTS_FILE)
  }
  const [one, other] = [await startReplica(), await startReplica()]
  tell([one.port, other.port])
  const gateway = await start('gateway', { ENDPOINTS_FILE, CACHE_ENTRIES: '0' })
  await waitUntilReady(gateway.port)
  return {
    gateway: gateway.child,
    port: gateway.port,
    replicas: [one.child, other.child],
    replaceFirst: async () => tell([(await startReplica()).port, other.port]),
    stop() {
      for (const child of children) child.kill('SIGKILL')
    },
  }
}

async function waitUntilReady(port: number): Promise<void> {
  for (const end = performance.now() + READY_MS; performance.now() < end; await wait(50)) {
    const { statusCode, body } = await request(`http://127.0.0.1:${port}/readyz`)
    await body.dump()
    if (statusCode === 200) return
  }
  throw new Error(`the gateway was not ready after ${READY_MS} ms`)
}

/** Memory in MiB that a process holds, what of it is no page of a file, and its open files, connections among them. */
export function measureProcess({ pid }: ChildProcess): { mib: number; anonymousMiB: number; files: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) / 1024
  return {
    mib: Math.round(read('VmRSS')),
    anonymousMiB: read('RssAnon'),
    files: readdirSync(`/proc/${pid}/fd`).length,
  }
}
