import type { Backend, RouteTable, ServiceRoute } from './route-table.ts'

/** What is moved where, as the profile says it with every default filled in. */
export type MoveDefinition = {
  readonly name: string
  /** By which clients ask the router. */
  readonly service: string
  readonly source: MoveEnd
  readonly target: MoveEnd
  /** Percentages of the requests, rising to 100. */
  readonly percents: readonly number[]
}

export type MoveEnd = { readonly url: string; readonly service: string }

/**
 * What is remembered of a move. `forward` until the target has all requests, `moved` from then on, `finished` once the former service is
 * deleted; `returning` while requests are given back, `returned` once they are.
 */
export type MoveRecord = {
  readonly digest: string
  readonly phase: 'forward' | 'returning' | 'returned' | 'moved' | 'finished'
  /** Keys of the steps that are done. */
  readonly passed: readonly string[]
  /** Whether the service at the target is this move's own, or may be about to be. */
  readonly isOwn: boolean
  /** Digest of the files that the target's repository was made of: what stands there is ours. */
  readonly copied: string | null
  readonly reason: string | null
  readonly startedAt: string
  readonly owner: string
}

/** The route that gives the target so many percent of the requests; whichever has none answers should the other fail. */
export function routeBetween({ source, target }: MoveDefinition, percent: number): ServiceRoute {
  const from: Backend = { ...endOf(source), weight: 100 - percent }
  if (percent === 0) return { backends: [from] }
  return { backends: [from, { ...endOf(target), weight: percent }] }
}

/** The table with another route for one service. */
export function withRoute(table: RouteTable, service: string, route: ServiceRoute): RouteTable {
  return { ...table, services: { ...table.services, [service.toLowerCase()]: route } }
}

export function endOf({ url, service }: MoveEnd): MoveEnd {
  return { url, service: service.toLowerCase() }
}

export function isEnd(one: MoveEnd, { url, service }: MoveEnd): boolean {
  return one.url === url && one.service === service.toLowerCase()
}
