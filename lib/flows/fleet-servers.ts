import type { DeclaredModel } from '../config/models.ts'
import { LongshoreError } from '../domain/errors.ts'
import type { Model } from '../domain/model.ts'
import { type EmbeddingServer, EmbedError } from '../ports/embedding-server.ts'
import type { Tunnel } from '../ports/workplace.ts'
import type { Context } from './context.ts'
import { startExtraction } from './start-extraction.ts'
import { stopExtraction } from './stop-extraction.ts'

/** A server of our own at these addresses, which may be others at any time. */
export type Connect = (declared: DeclaredModel, endpoints: () => readonly string[]) => EmbeddingServer

export type FleetServersParts = {
  /** Looked up when it is needed: what it holds embeds through these servers itself. */
  readonly context: () => Context
  readonly connect: Connect
}

/** Extraction services in a Swarm for as long as a command runs, beside those that serve queries. */
export type FleetServers = {
  /** A server whose service is started when it is first asked, one for all that ask for the same. */
  open(declared: DeclaredModel): EmbeddingServer
  /** Stops every service that nothing else needs. */
  close(): Promise<void>
}

/** Servers that are tasks of services: reached whatever their ports, and found again after tasks were replaced. */
export function createFleetServers(parts: FleetServersParts): FleetServers {
  const servers = new Map<string, ReturnType<typeof createFleetServer>>()
  return {
    open(declared) {
      const { model, extraction } = declared
      const key = `${extraction.device} ${model.fingerprint}`
      const known = servers.get(key) ?? createFleetServer(declared, parts)
      servers.set(key, known)
      return known.server
    },
    async close() {
      const services = new Map<string, Model>()
      for (const server of servers.values()) {
        const service = await server.leave()
        if (service !== undefined) services.set(service, server.model)
      }
      for (const [service, model] of services) await stopExtraction(parts.context(), service, model)
    },
  }
}

function createFleetServer(declared: DeclaredModel, { context, connect }: FleetServersParts) {
  /** Ways to its tasks, by their names. */
  const ways = new Map<string, Tunnel>()
  const server = connect(declared, () => [...ways.values()].map(({ url }) => url))
  let service: string | undefined
  let starting: Promise<void> | undefined

  const start = async (signal: AbortSignal) => {
    const { workplace } = context()
    if (!workplace) throw new LongshoreError('usage', 'this engine runs no service for a command')
    const { name, tasks } = await startExtraction(context(), declared, signal)
    service = name
    const gone = [...ways.keys()].filter((id) => !tasks.some((task) => task.id === id))
    await Promise.all(gone.map(forget))
    for (const task of tasks) {
      if (!ways.has(task.id)) ways.set(task.id, await workplace.open(task, signal))
    }
  }
  const forget = async (id: string) => {
    const way = ways.get(id)
    ways.delete(id)
    await way?.close()
  }
  const ask = async <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    starting ??= start(signal)
    try {
      await starting
      return await work()
    } catch (error) {
      // Its tasks may be others by now, or gone: the next one looks again.
      if (!(error instanceof EmbedError) || error.fault === 'transient') starting = undefined
      throw error instanceof LongshoreError ? explainEnd(error) : error
    }
  }
  const own: EmbeddingServer = {
    findProblem: (signal) => ask(signal, () => server.findProblem(signal)),
    describe: (signal) => ask(signal, () => server.describe(signal)),
    embed: (contents, signal) => ask(signal, () => server.embed(contents, signal)),
    // It is that of all who asked for it, and ends with the command.
    close: async () => undefined,
  }
  return {
    server: own,
    model: declared.model,
    /** Closes every way to the service; resolves to its name, where it was asked for. */
    async leave(): Promise<string | undefined> {
      await server.close()
      await Promise.all([...ways.keys()].map(forget))
      return service
    },
  }
}

/** A service that does not start would not start again either. */
function explainEnd(error: LongshoreError): unknown {
  if (error.kind === 'interrupted') return error
  return new EmbedError('stop', error.message, { cause: error })
}
