import type { FleetNode } from './fleet.ts'
import type { Step } from './plan.ts'

/** A node that has no room for what a plan brings to it. */
export type Shortage = { readonly node: string; readonly needed: number; readonly free: number }

type Carrying = Pick<Step, 'action' | 'target' | 'node' | 'bytes'>

/**
 * Nodes with less room than the `deliver` steps need, when the `remove` steps before them are done. What a node has of a
 * delivery that did not end counts for it; a copy that it holds under the same name does not, for the new one is put
 * together beside.
 */
export function findShortages(
  nodes: readonly FleetNode[],
  deliveries: readonly Carrying[],
  removals: readonly Carrying[] = [],
): Shortage[] {
  return nodes.flatMap((node) => {
    const needed = sumFor(node, deliveries, ({ target, bytes = 0 }) =>
      Math.max(0, bytes - countBegun(node, target)),
    )
    const free = node.freeBytes + sumFor(node, removals, ({ target }) => node.taken?.[target] ?? 0)
    return needed > free ? [{ node: node.name, needed, free }] : []
  })
}

/** A shortage in words, without the name of the node. */
export function describeShortage({ needed, free }: Shortage): string {
  return `it has no room: ${needed} bytes are needed, ${free} are free`
}

function countBegun({ generations, taken }: FleetNode, target: string): number {
  return generations.some(({ name }) => name === target) ? 0 : (taken?.[target] ?? 0)
}

function sumFor({ name }: FleetNode, steps: readonly Carrying[], count: (step: Carrying) => number): number {
  return steps.filter(({ node }) => node === name).reduce((sum, step) => sum + count(step), 0)
}
