import { type Fleet, findService, findServiceProblem } from './fleet.ts'
import { isSameGeneration } from './generation.ts'
import { nodesOfGroup, nodesOfShard, type Shape } from './placement.ts'
import type { Step } from './plan.ts'
import type { IndexSteps } from './plan-index.ts'
import { type Blueprint, groupSpec, hasAll, isSameSpec } from './plan-services.ts'
import { isAnswering, listRouted, listSpareGroups } from './replica-groups.ts'
import {
  GROUPS,
  type Group,
  indexServiceName,
  otherGroup,
  type ServiceSpec,
  type ServiceState,
} from './service.ts'

type UnnumberedStep = Omit<Step, 'batch'>

export type GroupWish = {
  readonly target: Shape
  readonly blueprint: Blueprint
  readonly nodes: readonly string[]
  /** Whether the target was in service before. */
  readonly proven: boolean
}

/**
 * The strategy `replica-groups`: of each cluster, the group without which all that gateways route by is still answered
 * for moves before the gateway (`load`), the other one after it (`follow`). Raises `remote` for a group without nodes.
 */
export function planGroups(fleet: Fleet, wish: GroupWish): IndexSteps {
  const { generation, clusters, available } = wish.target
  const held = available ? [] : [generation]
  const nodesOf = (cluster: number, group: Group) =>
    nodesOfGroup(
      fleet,
      nodesOfShard(fleet, wish.nodes, { cluster, spread: wish.blueprint.spread, held }),
      group,
    )
  const routed = listRouted(fleet)
  const plans = clusters.map((cluster) => {
    const spare = listSpareGroups(fleet, cluster, routed)
    const first = spare.find((group) => isAnswering(fleet, { cluster, group }, generation)) ?? spare.at(-1)
    const planOne = (group: Group) =>
      planMember(
        fleet,
        wish,
        groupSpec(wish.blueprint, nodesOf(cluster, group), { cluster, group }, generation),
      )
    const [early, late] = first ? [[first], [otherGroup(first)]] : [[], [...GROUPS]]
    return {
      load: early.flatMap(planOne),
      follow: late.flatMap(planOne),
      loaded: early.map((group) => indexServiceName(cluster, group)),
      followed: late.map((group) => indexServiceName(cluster, group)),
    }
  })
  return {
    load: plans.flatMap(({ load }) => load),
    follow: plans.flatMap(({ follow }) => follow),
    loaded: plans.flatMap(({ loaded }) => loaded),
    followed: plans.flatMap(({ followed }) => followed),
    retire: planUnneeded(fleet, clusters),
  }
}

function planMember(fleet: Fleet, wish: GroupWish, spec: ServiceSpec): UnnumberedStep[] {
  const cause = explainMove(findService(fleet, spec.name), spec, wish)
  return cause ? [{ action: 'load', target: spec.name, cause, spec }] : []
}

/** Why a group has to change; undefined when it holds the target alone, as it shall. */
function explainMove(
  state: ServiceState | undefined,
  spec: ServiceSpec,
  { target: { generation }, proven }: GroupWish,
): string | undefined {
  if (!state) return `there is no ${spec.name} yet`
  const others = state.spec.generations.filter((one) => !isSameGeneration(one, generation))
  const names = others.map(({ name }) => name).join(', ')
  if (!hasAll(state.spec.generations, [generation])) {
    const how = proven ? 'is loaded anew (cold)' : 'takes its place'
    return `it holds ${names || 'nothing'}, and ${generation.name} ${how}: one generation at a time`
  }
  if (others.length > 0) return `it holds ${names} too, and shall hold one generation at a time`
  if (!isSameSpec(state.spec, spec)) return 'its nodes, replicas or settings differ from the profile'
  return findServiceProblem(state)
}

function planUnneeded(fleet: Fleet, clusters: readonly number[]): UnnumberedStep[] {
  return fleet.services
    .filter(({ spec }) => spec.kind === 'index' && !clusters.includes(spec.cluster!))
    .map(({ spec }) => ({ action: 'stop', target: spec.name, cause: 'no generation needs it' }))
}
