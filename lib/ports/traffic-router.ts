import type { RouteTable } from '../domain/route-table.ts'

/** What a router has seen of one backend since it started. */
export type BackendTraffic = {
  readonly url: string
  readonly service: string
  readonly answered: number
  readonly failed: number
  /** Mean time of its answers, in milliseconds. */
  readonly meanMs: number
  /** Whether requests pass it by now. */
  readonly isOut: boolean
  /** Milliseconds since the epoch: when it failed for the first time since it answered last, and when it was passed by. */
  readonly failingSince: number | null
  readonly outSince: number | null
}

export type RouterTraffic = {
  readonly backends: readonly BackendTraffic[]
  readonly shadow: { readonly sent: number; readonly failed: number; readonly dropped: number }
}

/** What stands before model servers. Every method raises `remote` where it does not answer. */
export interface TrafficRouter {
  readRoutes(signal: AbortSignal): Promise<RouteTable>
  /** The router goes by it, also after a restart, when this resolves. */
  writeRoutes(table: RouteTable, signal: AbortSignal): Promise<void>
  readTraffic(signal: AbortSignal): Promise<RouterTraffic>
  /** Bodies of the last predictions that clients asked this service for, oldest first. */
  readRecent(service: string, signal: AbortSignal): Promise<readonly Readonly<Record<string, unknown>>[]>
}

/** The router as a process of this machine. */
export interface RouterProcess {
  isRunning(): Promise<boolean>
  /** Starts it unless it runs; it outlives the command. Resolves to its address, and whether it was started just now. */
  start(signal: AbortSignal): Promise<{ readonly url: string; readonly isNew: boolean }>
  /** Lets its clients go and ends it; false where it did not run. */
  stop(signal: AbortSignal): Promise<boolean>
}
