import { type Fleet, type FleetNode, isHeld } from './fleet.ts'
import type { GenerationRef } from './generation.ts'

/** What planning needs to know of a generation. */
export type Shape = {
  readonly generation: GenerationRef
  /** Ids of its clusters. */
  readonly clusters: readonly number[]
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
