import { type FleetNode, findHeld } from './fleet.ts'
import { type GenerationRef, isSameGeneration } from './generation.ts'
import { renderRanges } from './number-ranges.ts'
import { bytesFor, clustersAfter, clustersFor, isHeldAsWanted, type Shape } from './placement.ts'
import type { Step } from './plan.ts'

/** How a node's copy of a generation stands to the manifest. */
export type CopyState = 'sound' | 'damaged' | 'missing' | 'unreachable'

/** One node's copy of one generation, and what is wrong with it. */
export type Copy = {
  readonly node: string
  readonly generation: GenerationRef
  /** Ids of the clusters whose shards the node holds or shall hold; all where left out. */
  readonly clusters?: readonly number[]
  readonly state: CopyState
  readonly problem?: string
  /** It was damaged or missing, was brought again, and is sound now. */
  readonly repaired?: boolean
}

/** A copy that can only be told of by reading it from its disk. */
export type Unread = Pick<Copy, 'node' | 'generation' | 'clusters'>

/** What nodes tell of their copies by themselves, and what has to be read, in the order of nodes, then generations. */
export function planReading(nodes: readonly FleetNode[], shapes: readonly Shape[]): (Copy | Unread)[] {
  return nodes.flatMap((node) => shapes.map((shape) => judgeUnread(node, shape)))
}

function judgeUnread(node: FleetNode, shape: Shape): Copy | Unread {
  const { generation } = shape
  const clusters = clustersAfter(node, shape)
  const copy = { node: node.name, generation, ...(clusters && { clusters }) }
  if (!node.reachable) return { ...copy, state: 'unreachable', problem: node.problem ?? 'it does not answer' }
  if (isHeldAsWanted(node, shape)) return copy
  const own = findHeld(node, generation)?.clusters
  if (own) {
    const lost = (clustersFor(shape, node.name) ?? shape.clusters).filter((cluster) => !own.includes(cluster))
    return { ...copy, state: 'damaged', problem: `it lacks shards ${renderRanges(lost)}` }
  }
  const held = node.generations.find(({ name }) => name === generation.name)
  if (!held) return { ...copy, state: 'missing' }
  const problem = held.digest === null ? 'its manifest cannot be read' : `it is another one (${held.digest})`
  return { ...copy, state: 'damaged', problem }
}

/** Whether a copy can be brought again: not when its node cannot be reached. */
export function isRepairable({ state }: Copy): boolean {
  return state === 'damaged' || state === 'missing'
}

/** What may mend copies: the generation on this machine, and the nodes. */
export type Sources = {
  readonly shapes: readonly Shape[]
  readonly isHere: (generation: GenerationRef) => boolean
}

/**
 * One `mend` for every copy of which something is damaged, and one `deliver` for every one that is missing where this
 * machine has the generation. Sound copies are asked first, then those that are sound in part, then this machine.
 */
export function planRepair(
  copies: readonly Copy[],
  nodes: readonly FleetNode[],
  { shapes, isHere }: Sources,
): Omit<Step, 'batch'>[] {
  return copies.filter(isRepairable).map((copy) => {
    const { node, generation, clusters, state, problem } = copy
    const isDelivered = state === 'missing' && isHere(generation)
    const peers = isDelivered ? [] : listPeers(copies, nodes, copy)
    const sources = [...peers, ...(isHere(generation) ? ['this machine'] : [])].join(', ')
    const what = `${state} there${problem === undefined ? '' : `: ${problem}`}`
    return {
      action: isDelivered ? 'deliver' : 'mend',
      target: generation.name,
      node,
      cause: `${what}; brought from ${sources || 'nowhere: nobody has it'}`,
      generation,
      ...(isDelivered ? {} : { peers, isHere: isHere(generation) }),
      ...(clusters && { clusters }),
      ...bytesOf(shapes, { node, generation }),
    }
  })
}

function listPeers(
  copies: readonly Copy[],
  nodes: readonly FleetNode[],
  { node, generation }: Copy,
): string[] {
  const isSound = (name: string) =>
    copies.some(
      (one) => one.node === name && one.state === 'sound' && isSameGeneration(one.generation, generation),
    )
  const holding = nodes.filter((one) => one.reachable && one.name !== node && findHeld(one, generation))
  const names = holding.map(({ name }) => name)
  return [...names.filter(isSound), ...names.filter((name) => !isSound(name))]
}

function bytesOf(shapes: readonly Shape[], { node, generation }: Unread): { bytes?: number } {
  const shape = shapes.find((one) => one.generation.name === generation.name)
  return shape ? { bytes: bytesFor(shape, node) } : {}
}
