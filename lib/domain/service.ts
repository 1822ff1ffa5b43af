import type { GenerationRef } from './generation.ts'

export const SERVICE_KINDS = ['gateway', 'index', 'extraction'] as const
export type ServiceKind = (typeof SERVICE_KINDS)[number]

/** A service as it shall be. Equal specs are the same service: applying one twice changes nothing. */
export type ServiceSpec = {
  /** `gateway`, `extraction`, `index_<cluster>` */
  readonly name: string
  readonly kind: ServiceKind
  /** The cluster whose shards an index service serves. */
  readonly cluster?: number
  readonly replicas: number
  /** Names of the nodes that may run its tasks. */
  readonly nodes: readonly string[]
  /** Resident generations of an index service, newest last; the one that a gateway routes by; none for extraction. */
  readonly generations: readonly GenerationRef[]
  /** Port that the service publishes, where clients outside reach it. */
  readonly port?: number
  /** Environment of its tasks, without secrets. */
  readonly settings: Readonly<Record<string, string>>
}

export type TaskPhase = 'starting' | 'ready' | 'draining' | 'failed'

/** One running copy of a service. */
export type Task = {
  readonly id: string
  readonly node: string
  readonly state: TaskPhase
  /** What it really serves, asked on its own socket; empty while it does not answer. */
  readonly generations: readonly GenerationRef[]
  /** Why it is not ready. */
  readonly problem?: string
}

export type ServiceState = { readonly spec: ServiceSpec; readonly tasks: readonly Task[] }

export const GATEWAY = 'gateway'
export const EXTRACTION = 'extraction'

export function indexServiceName(cluster: number): string {
  return `index_${cluster}`
}
