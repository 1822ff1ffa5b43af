import type { DeliveryRates } from './delivery-rates.ts'
import { type FleetNode, isHeld } from './fleet.ts'
import { compareGenerations, type GenerationRef } from './generation.ts'
import type { Shape } from './placement.ts'
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
  const { generation, bytes, available } = shape
  if (!available) return []
  const lacking = nodes.filter((node) => node.reachable && !isHeld(node, generation))
  const steps = lacking.map((node): UnnumberedStep => {
    const cause = explainLack(node, generation)
    return { action: 'deliver', target: generation.name, node: node.name, cause, generation, bytes }
  })
  return policy ? addRoutes(steps, chooseRoutes(lacking, generation, policy), bytes, policy.rates) : steps
}

function addRoutes(
  steps: readonly UnnumberedStep[],
  chosen: readonly ChosenRoute[],
  bytes: number,
  rates: DeliveryRates,
): UnnumberedStep[] {
  const sent = estimateSent(
    bytes,
    chosen.map(({ route }) => route),
  )
  const together = sent.reduce((sum, one) => sum + one, 0)
  const estimatedMs = estimateMs(bytes, together, rates)
  return steps.map((step, index) => ({
    ...step,
    cause: `${step.cause}: ${chosen[index]!.reason}`,
    route: chosen[index]!.route,
    sent: sent[index]!,
    ...(estimatedMs !== undefined && { estimatedMs }),
  }))
}

function explainLack(node: FleetNode, { name }: GenerationRef): string {
  const held = node.generations.find((one) => one.name === name)
  if (held === undefined) return `${node.name} does not hold it`
  return held.digest === null
    ? `what ${node.name} holds as ${name} cannot be read`
    : `${node.name} holds another ${name}`
}

/** One `verify` for every node that holds the generation already and is about to serve it. */
export function planVerification(nodes: readonly FleetNode[], { generation }: Shape): UnnumberedStep[] {
  return nodes
    .filter((node) => isHeld(node, generation))
    .map((node) => ({
      action: 'verify',
      target: generation.name,
      node: node.name,
      cause: 'held, but not yet served by these tasks: its files are hashed again',
      generation,
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
