import { type Fleet, findHeld, findService } from './fleet.ts'
import type { GenerationRef } from './generation.ts'
import { nodesOfGroup, nodesOfShard } from './placement.ts'
import type { Step } from './plan.ts'
import { type Blueprint, extractionSpecs, gatewaySpec, groupSpec, indexSpec } from './plan-services.ts'
import { GROUPS, indexServiceName, type ServiceSpec } from './service.ts'

type UnnumberedStep = Omit<Step, 'batch'>

export type Lost = {
  /** The generation that the fleet goes back to. */
  readonly former: GenerationRef
  /** Ids of its clusters; null where nobody knows them any more. */
  readonly clusters: readonly number[] | null
  /** Fingerprint of its model, where it is known. */
  readonly model?: string | undefined
  readonly blueprint: Blueprint
}

/**
 * Makes again what a generation needs and is not there any more, because somebody else removed it: what the gateway asks
 * `before` it, and the `gateway` itself.
 */
export function planLost(
  fleet: Fleet,
  { former, clusters, model, blueprint }: Lost,
): { readonly before: UnnumberedStep[]; readonly gateway: UnnumberedStep[] } {
  const nodes = fleet.nodes.filter((node) => node.reachable && findHeld(node, former)).map(({ name }) => name)
  const indexes = (clusters ?? []).flatMap((cluster) => {
    const isThere = GROUPS.some((group) => findService(fleet, indexServiceName(cluster, group)))
    return isThere ? [] : indexSpecs(fleet, { former, blueprint, nodes, cluster })
  })
  const gateway = gatewaySpec(blueprint, nodes, former)
  return {
    before: [...extractionSpecs(blueprint, nodes, [model]), ...indexes].flatMap((spec) =>
      planOne(fleet, spec),
    ),
    gateway: planOne(fleet, gateway),
  }
}

type Shard = Omit<Lost, 'clusters' | 'model'> & {
  readonly nodes: readonly string[]
  readonly cluster: number
}

function indexSpecs(fleet: Fleet, { former, blueprint, nodes, cluster }: Shard): ServiceSpec[] {
  const own = nodesOfShard(fleet, nodes, { cluster, spread: blueprint.spread, held: [former] })
  if (blueprint.strategy === 'side-by-side') return [indexSpec(blueprint, own, cluster, [former])]
  return GROUPS.map((group) =>
    groupSpec(blueprint, nodesOfGroup(fleet, own, group), { cluster, group }, former),
  )
}

function planOne(fleet: Fleet, spec: ServiceSpec): UnnumberedStep[] {
  const { name: target, kind } = spec
  if (findService(fleet, target)) return []
  const action = ({ gateway: 'switch', extraction: 'start', index: 'load' } as const)[kind]
  return [{ action, target, cause: 'it was removed by somebody else', spec }]
}
