import { connect as connectTo, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { type buildConnector, request } from 'undici'
import { embedLexical } from '../../../lib/domain/lexical.ts'
import { TEST_MODEL } from '../../support/fleet.ts'

/** What stands in front of a fleet's nodes, at the level of connections. */
export type Balancer = {
  /** Opens a connection to a node whose gateway is ready, for an Agent of undici. */
  readonly connect: buildConnector.connector
  stop(): Promise<void>
}

const CHECK_MS = 250
const CHECK_TIMEOUT_MS = 1_000
const CONNECT_TIMEOUT_MS = 1_000

/**
 * Does what operations.md asks of a balancer, and no more: looks at `/readyz` of every node, gives new connections to
 * those that are ready, and tries another one where no connection comes about. What was sent is never sent again.
 */
export function startBalancer(hosts: readonly string[], port: number): Balancer {
  const ready = new Set<string>()
  const stopped = new AbortController()
  let turn = 0
  const look = async (host: string) => {
    if (await isReady(host, port)) ready.add(host)
    else ready.delete(host)
  }
  const firstLook = Promise.all(hosts.map(look))
  const watch = async (host: string) => {
    await firstLook
    while (!stopped.signal.aborted) {
      await wait(CHECK_MS, undefined, { signal: stopped.signal }).catch(() => stopped.signal.aborted)
      await look(host)
    }
  }
  const watching = hosts.map(watch)
  const open = async () => {
    await firstLook
    const candidates = hosts.filter((host) => ready.has(host))
    const first = turn++
    return await openFirst(
      candidates.map((_, at) => candidates[(first + at) % candidates.length]!),
      port,
    )
  }
  return {
    connect(_options, callback) {
      open().then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      )
    },
    async stop() {
      stopped.abort()
      await Promise.all(watching)
    },
  }
}

const vectors = new Map<string, readonly number[]>()

/** The body of a search by the vector of a text, which costs a fleet less than one by the text. */
export function renderVectorSearch(text: string): string {
  const known = vectors.get(text)
  const vector = known ?? [...embedLexical([text], TEST_MODEL.dimensions)]
  if (!known) vectors.set(text, vector)
  // Explained, since these are never answered from a cache.
  return JSON.stringify({ vector, k: 3, explain: true })
}

async function isReady(host: string, port: number): Promise<boolean> {
  try {
    const reply = await request(`http://${host}:${port}/readyz`, {
      signal: AbortSignal.timeout(CHECK_TIMEOUT_MS),
      headers: { connection: 'close' },
    })
    await reply.body.dump()
    return reply.statusCode === 200
  } catch {
    // Whatever keeps it from answering, it is not ready.
    return false
  }
}

async function openFirst(hosts: readonly string[], port: number): Promise<Socket> {
  const reasons: string[] = []
  for (const host of hosts) {
    try {
      return await openTo(host, port)
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new Error(reasons.join('; ') || 'no node is ready')
}

async function openTo(host: string, port: number): Promise<Socket> {
  const socket = connectTo({ host, port, noDelay: true })
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => socket.destroy(new Error(`${host}: no connection in time`)),
      CONNECT_TIMEOUT_MS,
    )
    socket.once('error', reject)
    socket.once('close', () => clearTimeout(timer))
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', reject)
      resolve(socket)
    })
  })
}
