import { readFileSync, statSync } from 'node:fs'
import { messageOf } from '../../lib/domain/errors.ts'
import type { Log } from '../http/log.ts'

/** Where other services are reached. */
export type Discovery = {
  /** Base addresses of a service's ready tasks, as they are known now. */
  endpointsOf(service: string): readonly string[]
  /** Looks again at once, for example after a connection has failed. */
  refresh(): void
}

const LOOK_MS = 50

/**
 * Endpoints from a file `{"index_0":["http://127.0.0.1:4001"]}` that is replaced whole when they change. While there is
 * no such file, or one that cannot be read, what was known last stays.
 */
export function createFileDiscovery(path: string, log: Log): Discovery {
  let known: Record<string, readonly string[]> = {}
  let version = ''
  let lookedAt = Number.NEGATIVE_INFINITY
  const refresh = () => {
    lookedAt = performance.now()
    const stat = statSync(path, { throwIfNoEntry: false })
    const found = stat ? `${stat.ino} ${stat.mtimeMs} ${stat.size}` : ''
    if (!stat || found === version) return
    version = found
    try {
      known = JSON.parse(readFileSync(path, 'utf8'))
    } catch (error) {
      log('endpoints_unreadable', { path, message: messageOf(error) })
    }
  }
  return {
    refresh,
    endpointsOf(service) {
      if (performance.now() - lookedAt > LOOK_MS) refresh()
      return known[service] ?? []
    },
  }
}
