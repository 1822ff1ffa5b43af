import { type FleetNode, findHeld } from './fleet.ts'
import { compareGenerations } from './generation.ts'
import { estimateByRates } from './measured-rates.ts'
import { renderRanges } from './number-ranges.ts'
import { clustersAfter, isHeldAsWanted, listLacking, type Part, type Shape } from './placement.ts'
import type { Step } from './plan.ts'
import { type ChosenRoute, chooseRoutes, estimateMs, estimateSent, type RoutePolicy } from './route.ts'

type UnnumberedStep = Omit<Step, 'batch'>

/**
 * One `deliver` for every reachable node that lacks the generation. With a policy each says how it travels and why, what
 * leaves this machine for it, and how long all of them take where limits tell.
 */
export function planDelivery(
  nodes: readonly FleetNode[],
  shape: Shape,
  policy?: RoutePolicy,
): UnnumberedStep[] {
  const { generation, available } = shape
  if (!available) return []
  const lacking = nodes.filter((node) => node.reachable && !isHeldAsWanted(node, shape))
  const carried = lacking.map((node): Carried => {
    const parts = listLacking(node, shape)
    const cause = explainLack(node, shape, parts)
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0)
    const about = { target: generation.name, node: node.name, cause, generation, ...clustersIn(node, shape) }
    return { step: { action: 'deliver', ...about, bytes }, parts }
  })
  if (!policy) return carried.map(({ step }) => step)
  return addRoutes(carried, chooseRoutes(lacking, generation, policy), policy)
}

type Carried = { readonly step: UnnumberedStep; readonly parts: readonly Part[] }

function clustersIn(node: FleetNode, shape: Shape): { readonly clusters?: readonly number[] } {
  const clusters = clustersAfter(node, shape)
  return clusters ? { clusters } : {}
}

function addRoutes(
  carried: readonly Carried[],
  chosen: readonly ChosenRoute[],
  { rates, measured = {} }: RoutePolicy,
): UnnumberedStep[] {
  const sent = estimateSent(carried.map(({ parts }, index) => ({ parts, route: chosen[index]!.route })))
  const together = sent.reduce((sum, one) => sum + one, 0)
  const most = Math.max(0, ...carried.map(({ step }) => step.bytes ?? 0))
  const estimate = estimateTime(
    estimateMs(most, together, rates),
    estimateByRates(
      carried.map(({ step }, index) => ({
        node: step.node!,
        bytes: step.bytes ?? 0,
        route: chosen[index]!.route,
      })),
      measured,
    ),
  )
  return carried.map(({ step }, index) => ({
    ...step,
    cause: `${step.cause}: ${chosen[index]!.reason}`,
    route: chosen[index]!.route,
    sent: sent[index]!,
    ...estimate,
  }))
}

/** The longer one of what limits allow and what former deliveries took, and which of them it is. */
function estimateTime(
  byLimits: number | undefined,
  byRates: { readonly ms: number; readonly at: string } | undefined,
): Pick<Step, 'estimatedMs' | 'estimatedFrom'> {
  if (byRates && byRates.ms >= (byLimits ?? 0)) return { estimatedMs: byRates.ms, estimatedFrom: byRates.at }
  return byLimits === undefined ? {} : { estimatedMs: byLimits, estimatedFrom: 'limits' }
}

function explainLack(node: FleetNode, { generation, portions }: Shape, parts: readonly Part[]): string {
  const { name } = generation
  const held = node.generations.find((one) => one.name === name)
  if (portions) {
    const shards = parts.flatMap(({ of }) => (typeof of === 'number' ? [of] : []))
    return `${node.name} lacks ${describeShards(shards)} of it`
  }
  if (held === undefined) return `${node.name} does not hold it`
  if (findHeld(node, generation)) return `${node.name} does not hold all of it`
  return held.digest === null
    ? `what ${node.name} holds as ${name} cannot be read`
    : `${node.name} holds another ${name}`
}

function describeShards(shards: readonly number[]): string {
  if (shards.length === 0) return 'what gateways need'
  return `${shards.length === 1 ? 'shard' : 'shards'} ${renderRanges(shards)}`
}

/** One `verify` for every node that holds the generation already and is about to serve it. */
export function planVerification(nodes: readonly FleetNode[], shape: Shape): UnnumberedStep[] {
  const { generation } = shape
  return nodes
    .filter((node) => isHeldAsWanted(node, shape))
    .map((node) => ({
      action: 'verify',
      target: generation.name,
      node: node.name,
      cause: 'held, but not yet served by these tasks: its files are hashed again',
      generation,
      ...clustersIn(node, shape),
    }))
}

export type Retention = {
  /** The generation that everything older is measured by; newer ones always stay. */
  readonly newest: string
  /** Names that stay whatever their age: in service, before it, frozen, quarantined. */
  readonly kept: readonly string[]
  /** How many further ones stay, newest first. */
  readonly keep: number
}

/**
 * One `remove` for every generation on a node that is beyond what the profile keeps, and for what takes room of an older
 * one that the node does not hold: a delivery that did not end.
 */
export function planRemoval(
  nodes: readonly FleetNode[],
  { newest, kept, keep }: Retention,
): UnnumberedStep[] {
  return nodes
    .filter((node) => node.reachable)
    .flatMap((node) => {
      const spare = node.generations
        .map(({ name }) => name)
        .filter((name) => !kept.includes(name) && compareGenerations(name, newest) < 0)
        .sort((a, b) => compareGenerations(b, a))
      const held = node.generations.map(({ name }) => name)
      const leftovers = Object.keys(node.taken ?? {}).filter(
        (name) => !held.includes(name) && !kept.includes(name) && compareGenerations(name, newest) < 0,
      )
      const remove = (cause: string) => (name: string) =>
        ({ action: 'remove', target: name, node: node.name, cause }) as const
      return [
        ...spare.slice(keep).map(remove(`older than the ${keep} kept`)),
        ...leftovers.map(remove('left by a delivery that did not end')),
      ]
    })
}
