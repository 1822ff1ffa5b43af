import type { Worker } from 'node:cluster'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf } from '../../domain/errors.ts'
import type { Model } from '../../domain/model.ts'
import { type EmbeddingServer, EmbedError } from '../../ports/embedding-server.ts'
import { createEmbeddingServer } from '../embed/create-server.ts'
import { locateLogs } from './agent-protocol.ts'
import { requestJson } from './http-json.ts'
import { readLastWords } from './last-words.ts'
import { createUrl } from './task-environment.ts'
import { readPorts, type StartedProcess, startProcess } from './task-process.ts'

export type OwnServer = {
  readonly model: Model
  /** What the extraction service is told beside its model. */
  readonly settings: Readonly<Record<string, string>>
  readonly timeoutMs: number
}

/** Extraction services that run as long as a command does. */
export type OwnServers = {
  /** A server whose process is started when it is first asked, one for all that ask for the same. */
  open(asked: OwnServer): EmbeddingServer
  /** Ends every process that was started. */
  close(): Promise<void>
}

export type OwnServersOptions = {
  readonly state: string
  /** Script that runs a service. */
  readonly entry: string
}

const HOST = '127.0.0.1'
const PROBE_MS = 50
const STATUS_MS = 5_000

/** Processes that end with this one, however it ends: they are workers of it. */
export function createOwnServers(options: OwnServersOptions): OwnServers {
  const servers = new Map<string, { server: EmbeddingServer; stop(): Promise<void> }>()
  return {
    open(asked) {
      const key = JSON.stringify([asked.model, asked.settings])
      const known = servers.get(key) ?? createOwnServer(asked, options)
      servers.set(key, known)
      return known.server
    },
    async close() {
      await Promise.all([...servers.values()].map((server) => server.stop()))
    },
  }
}

function createOwnServer({ model, settings, timeoutMs }: OwnServer, { state, entry }: OwnServersOptions) {
  const log = join(locateLogs(state), `extraction-${process.pid}.log`)
  let url: string | undefined
  let starting: Promise<void> | undefined
  let worker: Worker | undefined
  const server = createEmbeddingServer({
    endpoints: () => (url === undefined ? [] : [url]),
    ...{ model, timeoutMs },
    extraction: { protocol: 'tf-serving' },
  })

  const start = async (signal: AbortSignal) => {
    const env = { ...settings, HOST, PORT: '0', MODEL: JSON.stringify(model) }
    const started = startProcess({ entry, kind: 'extraction', env, log })
    worker = started.worker
    worker.once('exit', () => {
      worker = undefined
      url = undefined
      starting = undefined
    })
    url = createUrl(HOST, await hearPort(started, log, signal))
    while ((await server.findProblem(signal)) !== undefined) {
      if (!worker) throw explainEnd(started, log)
      await wait(PROBE_MS, undefined, { signal })
    }
  }
  const ready = (signal: AbortSignal) => {
    starting ??= start(signal).catch((error: unknown) => {
      starting = undefined
      worker?.process.kill('SIGKILL')
      throw error
    })
    return starting
  }
  const own: EmbeddingServer = {
    findProblem: (signal) => ready(signal).then(() => server.findProblem(signal), messageOf),
    async describe(signal) {
      await ready(signal)
      const [description, device] = [await server.describe(signal), await readDevice(url!, signal)]
      return { ...description, ...(device !== undefined && { device }) }
    },
    embed: (contents, signal) => ready(signal).then(() => server.embed(contents, signal)),
    // The process is that of all who asked for it, and ends with the command.
    close: async () => undefined,
  }
  return {
    server: own,
    async stop() {
      await server.close()
      if (!worker) return
      const exit = once(worker, 'exit')
      worker.process.kill('SIGTERM')
      await exit
    },
  }
}

/** Where the service computes: it tells once its model is loaded. */
async function readDevice(url: string, signal: AbortSignal): Promise<string | undefined> {
  const { body } = await requestJson(`${url}/v1/status`, { timeoutMs: STATUS_MS, signal })
  const { device } = (body ?? {}) as { readonly device?: unknown }
  return typeof device === 'string' ? device : undefined
}

/** The port that a process tells. Raises EmbedError in its own words when it ends before. */
async function hearPort(started: StartedProcess, log: string, signal: AbortSignal): Promise<number> {
  const { worker } = started
  return await new Promise((resolve, reject) => {
    worker.on('message', (message) => {
      const port = readPorts(message)?.listening
      if (port !== undefined) resolve(port)
    })
    worker.once('exit', () => reject(explainEnd(started, log)))
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function explainEnd({ logStart }: StartedProcess, log: string): EmbedError {
  const words = readLastWords(log, logStart) ?? `see ${log}`
  return new EmbedError('stop', `the extraction service has ended: ${words}`)
}
