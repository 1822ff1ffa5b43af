import type { Backend, RouteTable } from '../../lib/domain/route-table.ts'
import type { BackendTraffic } from '../../lib/ports/traffic-router.ts'

type Seen = {
  answered: number
  failed: number
  totalMs: number
  inARow: number
  failingSince: number | null
  outSince: number | null
  /** One request may try it again from then on. */
  tryAt: number
}

const FAILURES_IN_A_ROW = 3
const OUT_MS = 2_000

/** Watches backends by what comes of their requests, and passes by those that fail. */
export type BackendHealth = {
  /** Whether to pass it by; one request each two seconds is let through to see whether it is back. */
  isOut(backend: Backend): boolean
  succeed(backend: Backend, tookMs: number): void
  /** `isGone` where nobody listens: one such failure is enough. */
  fail(backend: Backend, isGone: boolean): void
  list(): BackendTraffic[]
  /** Forgets backends that no route has any more: one that comes back begins anew. */
  keepOnly(table: RouteTable): void
}

export function createBackendHealth(now: () => number = Date.now): BackendHealth {
  const known = new Map<string, { readonly backend: Backend; readonly seen: Seen }>()
  const find = (backend: Backend): Seen => {
    const key = keyOf(backend)
    const found = known.get(key)
    if (found) return found.seen
    const seen: Seen = {
      ...{ answered: 0, failed: 0, totalMs: 0, inARow: 0 },
      ...{ failingSince: null, outSince: null, tryAt: 0 },
    }
    known.set(key, { backend, seen })
    return seen
  }
  return {
    isOut(backend) {
      const seen = find(backend)
      if (seen.outSince === null) return false
      if (now() < seen.tryAt) return true
      seen.tryAt = now() + OUT_MS
      return false
    },
    succeed(backend, tookMs) {
      const seen = find(backend)
      seen.answered++
      seen.totalMs += tookMs
      Object.assign(seen, { inARow: 0, failingSince: null, outSince: null })
    },
    fail(backend, isGone) {
      const seen = find(backend)
      seen.failed++
      seen.inARow++
      seen.failingSince ??= now()
      if (!isGone && seen.inARow < FAILURES_IN_A_ROW) return
      seen.outSince ??= now()
      seen.tryAt = now() + OUT_MS
    },
    keepOnly({ services }) {
      const routed = Object.values(services).flatMap(({ backends }) => backends.map(keyOf))
      for (const key of known.keys()) if (!routed.includes(key)) known.delete(key)
    },
    list: () =>
      [...known.values()].map(({ backend: { url, service }, seen }) => ({
        ...{ url, service, answered: seen.answered, failed: seen.failed },
        meanMs: seen.answered === 0 ? 0 : seen.totalMs / seen.answered,
        isOut: seen.outSince !== null,
        ...{ failingSince: seen.failingSince, outSince: seen.outSince },
      })),
  }
}

function keyOf({ url, service }: Backend): string {
  return `${url} ${service}`
}
