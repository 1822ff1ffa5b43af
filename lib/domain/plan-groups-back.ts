import { type Fleet, findService, isChanging, isSilent } from './fleet.ts'
import { type GenerationRef, isSameGeneration } from './generation.ts'
import type { Step } from './plan.ts'
import { isAnswering, listRouted, listSpareGroups } from './replica-groups.ts'
import { indexServiceName } from './service.ts'

type UnnumberedStep = Omit<Step, 'batch'>

/** What a run that broke off left of its replica groups, and what they held before it. */
export type GroupsBack = {
  readonly former: GenerationRef
  readonly target: GenerationRef
  /** Ids of the clusters of `former`; where they are not known, all that run. */
  readonly clusters: readonly number[] | null
}

/**
 * The way back of plan-groups.ts: of each cluster, the group that may leave what it holds takes up the former
 * generation `before` the gateway does, so that it is answered for once the gateway is back; the other one `after`.
 */
export function planGroupsBack(
  fleet: Fleet,
  { former, target, clusters }: GroupsBack,
): { readonly before: UnnumberedStep[]; readonly after: UnnumberedStep[] } {
  const routed = listRouted(fleet)
  const members = fleet.services.filter(({ spec }) => spec.kind === 'index' && spec.order === 'stop-first')
  const steps = members.flatMap((state): { isEarly: boolean; step: UnnumberedStep }[] => {
    const { name, cluster = 0, generations } = state.spec
    const isBack = generations.length === 1 && isSameGeneration(generations[0], former)
    if (isBack && !isSilent(state) && !isChanging(state)) return []
    if (!isWantedBack(fleet, cluster, clusters)) {
      const cause = `it was not needed before ${target.name}`
      return [{ isEarly: false, step: { action: 'stop', target: name, cause } }]
    }
    // Where both hold what failed, the one that took it last is the first to leave it.
    const spare = listSpareGroups(fleet, cluster, routed)
    const first = spare.find((group) => isAnswering(fleet, { cluster, group }, former)) ?? spare[0]
    const cause = isBack
      ? 'not every task of it is ready'
      : `back to ${former.name} from ${target.name} (cold)`
    const spec = { ...state.spec, generations: [former] }
    const isEarly = first !== undefined && name === indexServiceName(cluster, first)
    return [{ isEarly, step: { action: 'load', target: name, cause, spec } }]
  })
  return {
    before: steps.flatMap(({ isEarly, step }) => (isEarly ? [step] : [])),
    after: steps.flatMap(({ isEarly, step }) => (isEarly ? [] : [step])),
  }
}

/** Not where the former generation has no such shard, nor where all its replicas are still in one service. */
function isWantedBack(fleet: Fleet, cluster: number, clusters: readonly number[] | null): boolean {
  const first = findService(fleet, indexServiceName(cluster, 'a'))
  const isInOne = first !== undefined && first.spec.order === undefined
  return !isInOne && (clusters === null || clusters.includes(cluster))
}
