import type { Route } from './route.ts'

/** Bytes of a generation that came to be on a node in a second, from start to end, and when that was measured (ISO 8601). */
export type MeasuredRate = { readonly bytesPerSecond: number; readonly at: string }

/** A node makes most of a generation itself where only differences are sent: that takes another time. */
export type Kind = 'whole' | 'differences'

/** What the last delivery to each node took, by its name. */
export type MeasuredRates = Readonly<Record<string, Readonly<Partial<Record<Kind, MeasuredRate>>>>>

/** Of fewer bytes the time tells more of what is around a delivery than of it. */
export const LEAST_MEASURED_BYTES = 2 ** 20

/** The kind of delivery that a route makes. */
export function kindOf(route: Route | undefined): Kind {
  return route?.base ? 'differences' : 'whole'
}

export type Load = { readonly node: string; readonly bytes: number; readonly route: Route }

/**
 * How long deliveries take that run together, in milliseconds, as long as the slowest of them, and when that rate was
 * measured. A node that was never measured counts as the slowest one that was; undefined where none was.
 */
export function estimateByRates(
  loads: readonly Load[],
  measured: MeasuredRates,
): { readonly ms: number; readonly at: string } | undefined {
  const estimates = loads.map(({ node, bytes, route }) => {
    const kind = kindOf(route)
    const rate = measured[node]?.[kind] ?? findSlowest(measured, kind)
    return rate && { ms: (1000 * bytes) / rate.bytesPerSecond, at: rate.at }
  })
  if (estimates.length === 0 || estimates.includes(undefined)) return undefined
  return estimates.reduce((one, other) => (other!.ms > one!.ms ? other : one))
}

function findSlowest(measured: MeasuredRates, kind: Kind): MeasuredRate | undefined {
  const known = Object.values(measured).flatMap((rates) => rates[kind] ?? [])
  return known.sort((a, b) => a.bytesPerSecond - b.bytesPerSecond)[0]
}
