import type { DeliveryRates } from './delivery-rates.ts'
import { type FleetNode, findHeld } from './fleet.ts'
import { compareGenerations, type GenerationRef } from './generation.ts'
import type { MeasuredRates } from './measured-rates.ts'
import type { Part } from './placement.ts'

/** How a generation travels to a node; a transport that cannot go that way takes another one. */
export type Route = {
  /** Through relays, which pass pieces on among the nodes, or from this machine alone. */
  readonly via: 'relay' | 'direct'
  /** A generation that this machine holds, and the node all or some shards of: only what differs from it is carried. */
  readonly base?: GenerationRef
}

/** What decides about routes. */
export type RoutePolicy = {
  /** `auto`: through relays where at least two nodes share the load, or a base makes one worthwhile. */
  readonly via: 'auto' | 'relay' | 'direct'
  /** Generations that lie on this machine, to tell differences from; none where whole files shall be sent. */
  readonly bases: readonly GenerationRef[]
  readonly rates: DeliveryRates
  /** What former deliveries took; none where nothing is known. */
  readonly measured?: MeasuredRates
}

/** A route, and why it is taken. */
export type ChosenRoute = { readonly route: Route; readonly reason: string }

/** The route to each of the nodes that lack a generation, in their order. */
export function chooseRoutes(
  lacking: readonly FleetNode[],
  target: GenerationRef,
  { via, bases }: Pick<RoutePolicy, 'via' | 'bases'>,
): ChosenRoute[] {
  return lacking.map((node) => {
    if (via === 'direct') return { route: { via }, reason: 'directly, as the profile says' }
    const base = findBase(node, target, bases)
    if (base) return { route: { via: 'relay', base }, reason: `what differs from ${base.name}, by relay` }
    if (via === 'relay') return { route: { via }, reason: 'by relay, as the profile says' }
    if (node.inPieces?.includes(target.name))
      return { route: { via: 'relay' }, reason: 'by relay, as it has pieces of it' }
    return lacking.length > 1
      ? { route: { via: 'relay' }, reason: `by relay, as ${lacking.length} nodes lack it` }
      : { route: { via: 'direct' }, reason: 'directly, as no other node lacks it' }
  })
}

/** The newest generation that both sides hold: the nearest one, as generations follow one another. */
function findBase(
  node: FleetNode,
  target: GenerationRef,
  bases: readonly GenerationRef[],
): GenerationRef | undefined {
  return bases
    .filter((base) => base.name !== target.name && findHeld(node, base))
    .sort((a, b) => compareGenerations(b.name, a.name))[0]
}

/** Bytes that leave this machine for each of the nodes: relays take a share of one copy of each part. */
export function estimateSent(
  loads: readonly { readonly route: Route; readonly parts: readonly Part[] }[],
): number[] {
  const sharers = new Map<Part['of'], number>()
  const relayed = loads.filter(({ route }) => route.via === 'relay')
  for (const { of } of relayed.flatMap(({ parts }) => parts)) sharers.set(of, (sharers.get(of) ?? 0) + 1)
  return loads.map(({ route, parts }) =>
    parts.reduce((sum, { of, bytes }) => {
      return sum + (route.via === 'relay' ? Math.ceil(bytes / sharers.get(of)!) : bytes)
    }, 0),
  )
}

/** How long it takes at the given rates, in milliseconds; undefined where none limits it. `sent` as of all nodes together. */
export function estimateMs(
  bytes: number,
  sent: number,
  { perNode, total }: DeliveryRates,
): number | undefined {
  const times = [
    ...(perNode === null ? [] : [(1000 * bytes) / perNode]),
    ...(total === null ? [] : [(1000 * sent) / total]),
  ]
  return times.length > 0 ? Math.max(...times) : undefined
}
