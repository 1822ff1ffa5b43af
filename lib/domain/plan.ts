import type { GenerationRef } from './generation.ts'
import type { Content } from './made-service.ts'
import type { Route } from './route.ts'
import type { ServiceSpec } from './service.ts'

/** What a step does, in the order in which an update does them. */
export type Action =
  | 'deliver'
  | 'verify'
  /** Makes a damaged copy whole, of what other nodes hold. */
  | 'mend'
  | 'start'
  | 'load'
  | 'check'
  | 'switch'
  | 'soak'
  | 'commit'
  | 'retire'
  | 'remove'
  | 'stop'
  /** Of `apply` and `migrate-party`: makes a service or a package be of other content. */
  | 'change'

/** One step of a plan. Steps of the same batch may run together; a batch starts when the one before it is done. */
export type Step = {
  readonly batch: number
  readonly action: Action
  /** The generation, service or record that the step changes. */
  readonly target: string
  /** The node that it happens on, where it is one. */
  readonly node?: string
  /** Why it is needed; always shown. */
  readonly cause: string
  readonly generation?: GenerationRef
  /** The service as it shall be, for steps that change one. */
  readonly spec?: ServiceSpec
  /** What the service shall be made of, where that was rendered already. */
  readonly content?: Content
  /** Ids of the clusters whose shards the node shall hold or has to be looked at for; all where left out. */
  readonly clusters?: readonly number[]
  /** Bytes to carry, for steps that carry some. */
  readonly bytes?: number
  /** Nodes that a copy is mended from, in this order, and whether this machine is one more source. */
  readonly peers?: readonly string[]
  readonly isHere?: boolean
  /** How they are carried. */
  readonly route?: Route
  /** Those of the bytes that leave this machine; fewer where the node holds a base. */
  readonly sent?: number
  /** How long this and all steps beside it take, where limits or former deliveries tell. */
  readonly estimatedMs?: number
  /** `limits`, or when the delivery was that the estimate comes from (ISO 8601). */
  readonly estimatedFrom?: string
}

export type Plan = { readonly steps: readonly Step[] }

export const EMPTY_PLAN: Plan = { steps: [] }

/** The batches of a plan in order, each with its steps. */
export function batchesOf(plan: Plan): Step[][] {
  const batches = new Map<number, Step[]>()
  for (const step of plan.steps) batches.set(step.batch, [...(batches.get(step.batch) ?? []), step])
  return [...batches.entries()].sort(([a], [b]) => a - b).map(([, steps]) => steps)
}

/** A step in one line, as journals and errors name it: `load index_0`, `deliver dg_8 on node-1`. */
export function nameStep({ action, target, node }: Step): string {
  return `${action} ${target}${node === undefined ? '' : ` on ${node}`}`
}

/** The steps of a plan as `--json` tells them: `plan[{batch, action, target, node, clusters?, bytes?, via?, base?, sent?, estimatedMs?, estimatedFrom?, cause}]`. */
export function describePlan({ steps }: Plan): Record<string, unknown>[] {
  return steps.map(
    ({ batch, action, target, node, clusters, bytes, route, sent, estimatedMs, estimatedFrom, cause }) => ({
      batch,
      action,
      target,
      node: node ?? null,
      ...(clusters && { clusters }),
      ...(bytes !== undefined && { bytes }),
      ...(route && { via: route.via, base: route.base?.name ?? null }),
      ...(sent !== undefined && { sent }),
      ...(estimatedMs !== undefined && { estimatedMs }),
      ...(estimatedFrom !== undefined && { estimatedFrom }),
      cause,
    }),
  )
}

/** Numbers the given batches from 1, leaving out the empty ones. */
export function assemblePlan(batches: readonly (readonly Omit<Step, 'batch'>[])[]): Plan {
  const filled = batches.filter((steps) => steps.length > 0)
  return { steps: filled.flatMap((steps, index) => steps.map((step) => ({ batch: index + 1, ...step }))) }
}
