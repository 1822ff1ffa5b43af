import { type Fleet, findService, listServed } from './fleet.ts'
import type { GenerationRef } from './generation.ts'
import { hasAll, sortGenerations } from './plan-services.ts'
import { GATEWAY, GROUPS, type Group, indexServiceName, otherGroup } from './service.ts'

/**
 * Distinct generations that gateways may send queries to: what ready tasks tell, and, because a change that a dead run
 * began may still end, what the gateway shall route by.
 */
export function listRouted(fleet: Fleet): GenerationRef[] {
  return sortGenerations([...listServed(fleet), ...(findService(fleet, GATEWAY)?.spec.generations ?? [])])
}

/**
 * The groups of a cluster that may leave what they hold, because ready tasks of the other one answer for all that
 * either answers for and gateways route by: one at a time, and none where each is needed.
 */
export function listSpareGroups(fleet: Fleet, cluster: number, routed: readonly GenerationRef[]): Group[] {
  const needed = routed.filter((one) => GROUPS.some((group) => isAnswering(fleet, { cluster, group }, one)))
  return GROUPS.filter((group) =>
    needed.every((one) => isAnswering(fleet, { cluster, group: otherGroup(group) }, one)),
  )
}

/** Whether a ready task of a group holds a generation. */
export function isAnswering(
  fleet: Fleet,
  { cluster, group }: { readonly cluster: number; readonly group: Group },
  generation: GenerationRef,
): boolean {
  const tasks = findService(fleet, indexServiceName(cluster, group))?.tasks ?? []
  return tasks.some(({ state, generations }) => state === 'ready' && hasAll(generations, [generation]))
}
