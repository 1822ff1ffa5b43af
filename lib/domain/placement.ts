import { LongshoreError } from './errors.ts'
import { type Fleet, type FleetNode, isHeld } from './fleet.ts'
import type { GenerationRef } from './generation.ts'
import type { Group } from './service.ts'

/** What planning needs to know of a generation. */
export type Shape = {
  readonly generation: GenerationRef
  /** Ids of its clusters. */
  readonly clusters: readonly number[]
  /** Fingerprint of its model; left out where nobody knows it any more. */
  readonly model?: string
  readonly bytes: number
  /** Whether the operator's machine has it, to deliver it from. */
  readonly available: boolean
}

/** Reachable nodes that hold, or can be given, all of the generations: tasks may run there. */
export function findEligibleNodes(fleet: Fleet, shapes: readonly Shape[]): FleetNode[] {
  const canServe = (node: FleetNode) =>
    shapes.every((shape) => shape.available || isHeld(node, shape.generation))
  return fleet.nodes.filter((node) => node.reachable && canServe(node))
}

/** Node names in order of preference: each cluster begins with another node, so that the work is spread. */
export function placeTasks(names: readonly string[], offset: number): string[] {
  const start = names.length === 0 ? 0 : offset % names.length
  return [...names.slice(start), ...names.slice(0, start)]
}

/**
 * Those of the usable nodes that belong to a replica group: every other node of the profile, so that both groups never
 * meet on one node and a lost node moves no other one. Raises `remote` when a group has none.
 */
export function nodesOfGroup(fleet: Fleet, usable: readonly string[], group: Group): string[] {
  const own = fleet.nodes.map(({ name }) => name).filter((_, index) => index % 2 === (group === 'a' ? 0 : 1))
  const found = own.filter((name) => usable.includes(name))
  if (found.length > 0) return found
  throw new LongshoreError(
    'remote',
    `no node of replica group ${group} (${own.join(', ') || 'none in the profile'}) can be used; nothing was changed`,
    { hint: 'doctor.mjs tells more about the nodes; each group needs one that can be reached' },
  )
}
