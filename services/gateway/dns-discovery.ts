import { resolve4 } from 'node:dns/promises'
import { messageOf } from '../../lib/domain/errors.ts'
import type { ServiceKind } from '../../lib/domain/service.ts'
import { TASK_PORTS } from '../../lib/domain/swarm-names.ts'
import type { Log } from '../http/log.ts'
import type { Discovery } from './discovery.ts'

/** A replaced task leaves the DNS about two seconds before it is told to end. */
const LOOK_MS = 1_000

export type DnsOptions = {
  /** What stands before a service's name, for example `tasks.demo_`. */
  readonly prefix: string
  readonly log: Log
  readonly resolve?: (host: string) => Promise<readonly string[]>
}

/**
 * Endpoints by DNS, one address for every ready task, looked up again every second for each service that was asked for.
 * While a look-up fails, what was known last stays.
 */
export function createDnsDiscovery({ prefix, log, resolve = resolve4 }: DnsOptions): Discovery {
  const known = new Map<string, readonly string[]>()
  const underWay = new Set<string>()
  const failing = new Set<string>()
  const look = async (service: string) => {
    if (underWay.has(service)) return
    underWay.add(service)
    try {
      const addresses = await resolve(`${prefix}${service}`)
      known.set(service, addresses.map((address) => `http://${address}:${portOf(service)}`).sort())
      failing.delete(service)
    } catch (error) {
      if (!failing.has(service)) log('endpoints_unknown', { service, message: messageOf(error) })
      failing.add(service)
    } finally {
      underWay.delete(service)
    }
  }
  const refresh = () => {
    for (const service of known.keys()) void look(service)
  }
  setInterval(refresh, LOOK_MS).unref()
  return {
    refresh,
    endpointsOf(service) {
      if (!known.has(service)) {
        known.set(service, [])
        void look(service)
      }
      return known.get(service)!
    },
  }
}

function portOf(service: string): number {
  const [kind] = service.split('_')
  return TASK_PORTS[kind as ServiceKind]
}
