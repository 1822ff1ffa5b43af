import { type Fleet, findHeld, findService } from './fleet.ts'
import type { GenerationRef } from './generation.ts'
import { nodesOfGroup, nodesOfShard } from './placement.ts'
import type { Step } from './plan.ts'
import { type Blueprint, extractionSpec, gatewaySpec, groupSpec, indexSpec } from './plan-services.ts'
import { EXTRACTION, GATEWAY, GROUPS, indexServiceName, type ServiceSpec } from './service.ts'

type UnnumberedStep = Omit<Step, 'batch'>

export type Lost = {
  /** The generation that the fleet goes back to. */
  readonly former: GenerationRef
  /** Ids of its clusters; null where nobody knows them any more. */
  readonly clusters: readonly number[] | null
  readonly blueprint: Blueprint
}

/**
 * Makes again what a generation needs and is not there any more, because somebody else removed it: what the gateway asks
 * `before` it, and the `gateway` itself.
 */
export function planLost(
  fleet: Fleet,
  { former, clusters, blueprint }: Lost,
): { readonly before: UnnumberedStep[]; readonly gateway: UnnumberedStep[] } {
  const nodes = fleet.nodes.filter((node) => node.reachable && findHeld(node, former)).map(({ name }) => name)
  const extraction = blueprint.extraction ? [extractionSpec(blueprint.extraction, nodes)] : []
  const indexes = (clusters ?? []).flatMap((cluster) => {
    const isThere = GROUPS.some((group) => findService(fleet, indexServiceName(cluster, group)))
    return isThere ? [] : indexSpecs(fleet, { former, blueprint, nodes, cluster })
  })
  const gateway = gatewaySpec(blueprint, nodes, former)
  return {
    before: [...extraction, ...indexes].flatMap((spec) => planOne(fleet, spec)),
    gateway: planOne(fleet, gateway),
  }
}

type Shard = Omit<Lost, 'clusters'> & { readonly nodes: readonly string[]; readonly cluster: number }

function indexSpecs(fleet: Fleet, { former, blueprint, nodes, cluster }: Shard): ServiceSpec[] {
  const own = nodesOfShard(fleet, nodes, { cluster, spread: blueprint.spread, held: [former] })
  if (blueprint.strategy === 'side-by-side') return [indexSpec(blueprint, own, cluster, [former])]
  return GROUPS.map((group) =>
    groupSpec(blueprint, nodesOfGroup(fleet, own, group), { cluster, group }, former),
  )
}

function planOne(fleet: Fleet, spec: ServiceSpec): UnnumberedStep[] {
  const { name: target } = spec
  if (findService(fleet, target)) return []
  const action = target === GATEWAY ? 'switch' : target === EXTRACTION ? 'start' : 'load'
  return [{ action, target, cause: 'it was removed by somebody else', spec }]
}
