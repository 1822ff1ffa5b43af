import { createHash } from 'node:crypto'
import type { GenerationRef } from './generation.ts'
import type { Model } from './model.ts'

export const SERVICE_KINDS = ['gateway', 'index', 'extraction'] as const
export type ServiceKind = (typeof SERVICE_KINDS)[number]

/** A service as it shall be. Equal specs are the same service: applying one twice changes nothing. */
export type ServiceSpec = {
  /** `gateway`, `extraction_<model>`, `index_<cluster>`, `index_<cluster>_b` */
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
  /** Whether a task must end before the one that replaces it may start; otherwise they run side by side meanwhile. */
  readonly order?: 'stop-first'
  /** Nodes hold only some of the shards of its generations: its tasks may run where its own shards are. */
  readonly isSpread?: true
  /** Each of its tasks has a GPU for itself. */
  readonly isOnGpu?: true
  /** It is asked through its containers alone, so that it needs no network of the fleet. */
  readonly isApart?: true
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
  /** Its node or engine is gone, or it was killed from outside: it is not ready, whatever it serves. */
  readonly isLost?: true
}

export type ServiceState = { readonly spec: ServiceSpec; readonly tasks: readonly Task[] }

export const GATEWAY = 'gateway'

/** The two halves of a shard's replicas where they move one after the other; otherwise all of them are group `a`. */
export const GROUPS = ['a', 'b'] as const
export type Group = (typeof GROUPS)[number]

/** The extraction service of a model: two models never share one, so that each is there until no generation needs it. */
export function extractionServiceName(model: Pick<Model, 'fingerprint'>): string {
  return `extraction_${markOfModel(model)}`
}

/** 8 hex digits of the SHA-256 of a model's fingerprint, which name what there is of the model in an engine. */
export function markOfModel({ fingerprint }: Pick<Model, 'fingerprint'>): string {
  return createHash('sha256').update(fingerprint).digest('hex').slice(0, 8)
}

export function indexServiceName(cluster: number, group: Group = 'a'): string {
  return group === 'a' ? `index_${cluster}` : `index_${cluster}_${group}`
}

export function otherGroup(group: Group): Group {
  return group === 'a' ? 'b' : 'a'
}
