import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf } from '../../domain/errors.ts'
import type { Publishing } from '../../ports/publishing.ts'
import { hasCode } from '../files/durable-files.ts'
import { TaskFailure } from './agent-protocol.ts'

const FREE_MS = 5000
const POLL_MS = 50

/** Publishing on this machine: a port is free when it can be listened on. */
export function createLocalPublishing(): Publishing {
  return {
    findProblem: (host, port) =>
      assertPortFree(host, port).then(
        () => undefined,
        (error: unknown) => messageOf(error),
      ),
  }
}

/** Waits until nobody listens on a port any more, for as long as processes that lost their agent need to end. */
export async function waitForPort(host: string, port: number): Promise<void> {
  const end = performance.now() + FREE_MS
  while (!(await isPortFree(host, port)) && performance.now() < end) await wait(POLL_MS)
}

async function isPortFree(host: string, port: number): Promise<boolean> {
  return assertPortFree(host, port).then(
    () => true,
    () => false,
  )
}

/** Raises {@link TaskFailure} naming the port when another process listens on it, or when it may not be listened on. */
export async function assertPortFree(host: string, port: number): Promise<void> {
  const server = createServer()
  try {
    server.listen({ host, port, exclusive: true })
    await once(server, 'listening')
  } catch (error) {
    if (hasCode(error, 'EADDRINUSE')) {
      const hint = `end the process that has it (ss -ltnp 'sport = :${port}'), or choose another gateway.port`
      throw new TaskFailure(`port ${port} on ${host} is taken by another process`, hint)
    }
    throw new TaskFailure(`cannot listen on port ${port} of ${host}: ${(error as Error).message}`)
  } finally {
    server.close()
  }
}
