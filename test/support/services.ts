import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { Agent, request } from 'undici'
import type { GenerationRef } from '../../lib/domain/generation.ts'
import type { ServiceKind } from '../../lib/domain/service.ts'
import { eventually } from './eventually.ts'
import { MARK } from './leftovers.ts'
import { ROOT } from './shared.ts'

export type ServiceProcess = {
  readonly url: string
  readonly process: ChildProcess
  /** Everything written to stderr so far. */
  readonly log: () => string
  /** Sends SIGTERM and resolves to the exit code. */
  stop(): Promise<number | null>
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
/** Other tests may keep the processors for seconds. */
const START_MS = 60_000
const NETWORK = new Agent({ pipelining: 0 })

/** GENERATIONS as services read it. */
export function renderRefs(
  refs: readonly (GenerationRef | { generation: string; digest: string })[],
): string {
  return refs.map((ref) => `${'name' in ref ? ref.name : ref.generation}@${ref.digest}`).join(',')
}

/** Starts `services/main.ts <kind>` and waits until it listens. Raises its log when it ends before. */
export async function startService(
  kind: ServiceKind | 'router',
  env: Record<string, string>,
): Promise<ServiceProcess> {
  const child = spawnService(kind, env)
  const messages: { listening?: number; admin?: number }[] = []
  child.process.on('message', (message: { listening?: number }) => messages.push(message))
  const port = await eventually(() => {
    const told = messages.find((message) => message.admin ?? message.listening)
    const found = told?.admin ?? told?.listening
    if (found === undefined) throw new Error(`${kind} does not listen: ${child.log()}`)
    return found
  }, START_MS).catch((error: unknown) => {
    // A test file does not end before its children.
    child.process.kill('SIGKILL')
    throw error
  })
  return { ...child, url: `http://127.0.0.1:${port}` }
}

/** Starts a service that is expected not to come up; resolves to its exit code and log. */
export async function runToEnd(kind: ServiceKind, env: Record<string, string>) {
  const child = spawnService(kind, env)
  const [code] = (await once(child.process, 'close')) as [number | null]
  return { code, log: child.log() }
}

function spawnService(
  kind: ServiceKind | 'router',
  env: Record<string, string>,
): Omit<ServiceProcess, 'url'> {
  const child = fork(`${ROOT}services/main.ts`, [kind], {
    env: {
      PATH: process.env.PATH,
      [MARK]: process.env[MARK],
      HOST: '127.0.0.1',
      PORT: '0',
      LAME_DUCK_MS: '50',
      ...env,
    },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  let log = ''
  child.stderr!.on('data', (part: Buffer) => {
    log += part.toString()
  })
  return {
    process: child,
    log: () => log,
    stop: async () => {
      if (child.exitCode !== null) return child.exitCode
      child.kill('SIGTERM')
      const [code] = (await once(child, 'exit')) as [number | null]
      return code
    },
  }
}

export type Answer = {
  readonly status: number
  readonly headers: Record<string, unknown>
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers member by member
  readonly body: any
}

/** One request; the body of the answer is parsed where it is JSON. */
export async function call(url: string, body?: unknown, contentType = 'application/json'): Promise<Answer> {
  const isPlain = typeof body === 'string' || body instanceof Uint8Array
  const reply = await request(url, {
    dispatcher: NETWORK,
    ...(body !== undefined && {
      method: 'POST',
      body: isPlain ? body : JSON.stringify(body),
      headers: contentType === '' ? {} : { 'content-type': contentType },
    }),
  })
  const text = await reply.body.text()
  const isJson = String(reply.headers['content-type']).startsWith('application/json')
  return { status: reply.statusCode, headers: reply.headers, body: isJson ? JSON.parse(text) : text }
}

/** Waits until a service says that it may take traffic. */
export async function waitUntilReady({ url, log }: ServiceProcess): Promise<void> {
  await eventually(async () => {
    const { status, body } = await call(`${url}/readyz`)
    if (status !== 200) throw new Error(`${JSON.stringify(body)} ${log()}`)
  })
}

/** The stored vectors and items of a shard, read plainly. */
export async function readShard(directory: string, cluster: number, dimensions: number) {
  const bytes = await readFile(`${directory}/clust_${cluster}/vectors.npy`)
  const values = new Float32Array(Uint8Array.from(bytes.subarray(128)).buffer)
  const lines = (await readFile(`${directory}/clust_${cluster}/items.jsonl`, 'utf8')).trimEnd().split('\n')
  return lines.map((line, row) => {
    const item = JSON.parse(line) as { id: string; text: string }
    return { ...item, vector: [...values.subarray(row * dimensions, (row + 1) * dimensions)] }
  })
}

/** The status of the answer to a POST of which only the head is sent, with the length of its body. */
export async function announceBody(url: string, path: string, length: number): Promise<number> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: test',
    'Content-Type: application/json',
    `Content-Length: ${length}`,
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return Number(answer.toString().split(' ')[1])
}
