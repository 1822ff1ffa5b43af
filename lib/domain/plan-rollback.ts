import { LongshoreError } from './errors.ts'
import { type Fleet, findService, isChanging, isSilent } from './fleet.ts'
import { type GenerationRef, isSameGeneration } from './generation.ts'
import { assemblePlan, type Plan, type Step } from './plan.ts'
import { planGroupsBack } from './plan-groups-back.ts'
import { planLost } from './plan-lost.ts'
import { type Blueprint, hasAll, isSameSpec } from './plan-services.ts'
import type { FleetRecord } from './record.ts'
import { historyOf } from './record-rules.ts'
import { GATEWAY, type ServiceSpec, type ServiceState, type Task } from './service.ts'

type UnnumberedStep = Omit<Step, 'batch'>

/**
 * The generation that a rollback goes to: the release named `to`, else the one in service before the present one. A
 * second rollback goes further back, never forward again. Raises `not-found` when there is no such release.
 */
export function findRollbackTarget(record: FleetRecord, to?: string): GenerationRef {
  const released = record.releases.map(({ generation }) => generation)
  const target = to ? released.findLast(({ name }) => name === to) : historyOf(record.releases).at(-2)
  if (target) return target
  const names = [...new Set(released.map(({ name }) => name))].join(', ') || 'none'
  throw new LongshoreError(
    'not-found',
    to ? `${to} was never in service` : 'there is no release before the one in service',
    { hint: `released so far: ${names}; rollback.mjs --to dg_N names one of them` },
  )
}

/** A run that broke off. */
export type Broken = {
  /** What was served when it began. */
  readonly former: GenerationRef | null
  readonly target: GenerationRef
  /** Ids of the clusters of the former generation; null where nobody knows them any more. */
  readonly clusters: readonly number[] | null
  /** Fingerprint of its model, where it is known. */
  readonly model?: string | undefined
  /** How services are made again that somebody else removed; they are left out where it is. */
  readonly blueprint?: Blueprint
}

/**
 * The steps back to `former` after a run towards `target` broke off, in the reverse of its order: the gateway first,
 * then the target's generation leaves the index services. Only services of which no task answers come before it, and
 * replica groups that have already left what the gateway goes back to.
 */
export function planReturn(fleet: Fleet, { former, target, clusters, model, blueprint }: Broken): Plan {
  if (former === null) return planClearance(fleet, target)
  if (isSameGeneration(former, target)) return assemblePlan([])
  const gateway = findService(fleet, GATEWAY)
  const others = fleet.services.filter(({ spec }) => spec.kind !== 'gateway' && !spec.order)
  const groups = planGroupsBack(fleet, { former, target, clusters })
  const lost = blueprint && planLost(fleet, { former, clusters, model, blueprint })
  return assemblePlan([
    [
      ...(lost?.before ?? []),
      ...others.filter(isSilent).flatMap((service) => planUnloading(service, target)),
      ...groups.before,
    ],
    gateway ? planSwitchBack(gateway, former, target) : (lost?.gateway ?? []),
    [
      ...others.filter((service) => !isSilent(service)).flatMap((service) => planUnloading(service, target)),
      ...groups.after,
    ],
  ])
}

/** Before the first release there is nothing to go back to: everything that was started stops. */
function planClearance(fleet: Fleet, target: GenerationRef): Plan {
  const cause = `${target.name} failed, and nothing was served before it`
  const stop = ({ spec }: Fleet['services'][number]): UnnumberedStep => {
    return { action: 'stop', target: spec.name, cause }
  }
  const isGateway = ({ spec }: Fleet['services'][number]) => spec.kind === 'gateway'
  return assemblePlan([
    fleet.services.filter(isGateway).map(stop),
    fleet.services.filter((service) => !isGateway(service)).map(stop),
  ])
}

function planSwitchBack(
  gateway: ServiceState,
  former: GenerationRef,
  target: GenerationRef,
): UnnumberedStep[] {
  const spec: ServiceSpec = { ...gateway.spec, generations: [former] }
  const isBack = isSameSpec(gateway.spec, spec) && gateway.tasks.every((task) => isBackAt(task, former))
  if (isBack && !isSilent(gateway) && !isChanging(gateway)) return []
  return [{ action: 'switch', target: GATEWAY, cause: `back to ${former.name} from ${target.name}`, spec }]
}

function isBackAt({ state, generations }: Task, former: GenerationRef): boolean {
  return state !== 'ready' || hasAll(generations, [former])
}

function planUnloading(service: ServiceState, target: GenerationRef): UnnumberedStep[] {
  const generations = service.spec.generations.filter((one) => !isSameGeneration(one, target))
  const isLoaded = generations.length < service.spec.generations.length
  if (!isLoaded && !isSilent(service) && !isChanging(service)) return []
  const { name, kind } = service.spec
  const cause = isLoaded ? `${target.name} goes out of service` : 'not every task of it is ready'
  if (isLoaded && generations.length === 0) return [{ action: 'stop', target: name, cause }]
  const action = isLoaded ? 'retire' : kind === 'index' ? 'load' : 'start'
  return [{ action, target: name, cause, spec: { ...service.spec, generations } }]
}
