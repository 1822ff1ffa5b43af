import { setTimeout as wait } from 'node:timers/promises'
import { LongshoreError } from '../../domain/errors.ts'
import { type Connection, connect } from './connect.ts'
import { createLimit, type Limit } from './limit.ts'
import { indexNodes, type SshNode, type SshSettings } from './settings.ts'
import { unlessAborted } from './unless-aborted.ts'

/** Starts that follow one another at once are spread over this time. */
const JITTER_MS = 50
const HANG_UP_MS = 1000

/** Keeps one connection to each node that was used. */
export interface Pool {
  /** Does `work` with the connection to a node, which is made again after a loss. `signal` ends the wait for it. */
  use<T>(node: string, signal: AbortSignal, work: (connection: Connection) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Raises `usage` for nodes that cannot be logged in to. */
export function createPool(settings: SshSettings): Pool {
  const nodes = indexNodes(settings.nodes)
  const closing = new AbortController()
  const start = createStart(settings.maxStarting ?? 8)
  const channels = new Map<string, Limit>()
  const held = new Map<string, Promise<Connection>>()

  const open = (node: SshNode): Promise<Connection> => {
    const existing = held.get(node.name)
    if (existing) return existing
    const opened = start(() => connect(node, settings, closing.signal))
    const forget = () => held.get(node.name) === opened && held.delete(node.name)
    held.set(node.name, opened)
    opened.then(({ lost }) => lost.addEventListener('abort', forget, { once: true }), forget)
    return opened
  }
  return {
    use(name, signal, work) {
      const node = nodes.get(name)
      if (!node) throw new LongshoreError('usage', `there is no node ${name} in the profile`)
      const limit = channels.get(name) ?? createLimit(settings.maxChannels ?? 8)
      channels.set(name, limit)
      return limit(async () => work(await unlessAborted(open(node), signal)))
    },
    async close() {
      closing.abort(new LongshoreError('interrupted', 'the connections were closed'))
      await Promise.allSettled([...held.values()].map(async (opened) => hangUp(await opened)))
    },
  }
}

/** Lets at most `size` log-ins be under way, at random distances: sshd drops some when many come at once. */
function createStart(size: number): Limit {
  const limit = createLimit(size)
  let starting = 0
  return (work) =>
    limit(async () => {
      try {
        if (starting++ > 0) await wait(Math.random() * JITTER_MS)
        return await work()
      } finally {
        starting--
      }
    })
}

async function hangUp({ client, lost }: Connection): Promise<void> {
  if (lost.aborted) return
  const gone = new Promise((resolve) => lost.addEventListener('abort', resolve, { once: true }))
  client.end()
  await Promise.race([gone, wait(HANG_UP_MS, undefined, { ref: false })])
  client.destroy()
}
