import { type FleetNode, isHeld } from './fleet.ts'
import type { GenerationRef } from './generation.ts'
import type { Shape } from './placement.ts'
import type { Step } from './plan.ts'

/** How a node's copy of a generation stands to the manifest. */
export type CopyState = 'sound' | 'damaged' | 'missing' | 'unreachable'

/** One node's copy of one generation, and what is wrong with it. */
export type Copy = {
  readonly node: string
  readonly generation: GenerationRef
  readonly state: CopyState
  readonly problem?: string
  /** It was damaged or missing, was brought again, and is sound now. */
  readonly repaired?: boolean
}

/** A copy that can only be told of by reading it from its disk. */
export type Unread = Pick<Copy, 'node' | 'generation'>

/** What nodes tell of their copies by themselves, and what has to be read, in the order of nodes, then generations. */
export function planReading(
  nodes: readonly FleetNode[],
  generations: readonly GenerationRef[],
): (Copy | Unread)[] {
  return nodes.flatMap((node) => generations.map((generation) => judgeUnread(node, generation)))
}

function judgeUnread(node: FleetNode, generation: GenerationRef): Copy | Unread {
  const copy = { node: node.name, generation }
  if (!node.reachable) return { ...copy, state: 'unreachable', problem: node.problem ?? 'it does not answer' }
  if (isHeld(node, generation)) return copy
  const held = node.generations.find(({ name }) => name === generation.name)
  if (!held) return { ...copy, state: 'missing' }
  const problem = held.digest === null ? 'its manifest cannot be read' : `it is another one (${held.digest})`
  return { ...copy, state: 'damaged', problem }
}

/** Whether a copy can be brought again: not when its node cannot be reached. */
export function isRepairable({ state }: Copy): boolean {
  return state === 'damaged' || state === 'missing'
}

/** One `deliver` for every copy that is damaged or missing. */
export function planRepair(copies: readonly Copy[], shapes: readonly Shape[]): Omit<Step, 'batch'>[] {
  return copies.filter(isRepairable).map(({ node, generation, state, problem }) => ({
    action: 'deliver',
    target: generation.name,
    node,
    cause: `${state} there${problem === undefined ? '' : `: ${problem}`}`,
    generation,
    ...bytesOf(shapes, generation),
  }))
}

function bytesOf(shapes: readonly Shape[], { name }: GenerationRef): { bytes?: number } {
  const shape = shapes.find(({ generation }) => generation.name === name)
  return shape ? { bytes: shape.bytes } : {}
}
