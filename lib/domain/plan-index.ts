import { type Fleet, findService, findServiceProblem } from './fleet.ts'
import { type GenerationRef, isSameGeneration } from './generation.ts'
import { nodesOfShard, type Shape } from './placement.ts'
import type { Step } from './plan.ts'
import { type Blueprint, hasAll, indexSpec, isSameSpec } from './plan-services.ts'
import { indexServiceName, type ServiceSpec, type ServiceState } from './service.ts'

type UnnumberedStep = Omit<Step, 'batch'>

export type IndexWish = {
  readonly target: Shape
  readonly companion: Shape | null
  /** What the gateway routes by now: it is not dropped before the gateway has moved. */
  readonly served: GenerationRef | null
  readonly blueprint: Blueprint
  readonly nodes: readonly string[]
}

/** What has to happen to the index services, and to which of them. */
export type IndexSteps = {
  /** Before the gateway moves. */
  readonly load: UnnumberedStep[]
  /** Once it has moved. */
  readonly follow: UnnumberedStep[]
  /** Once the release is on record. */
  readonly retire: UnnumberedStep[]
  /** Services that hold the target before the gateway moves, and those that hold it only afterwards. */
  readonly loaded: readonly string[]
  readonly followed: readonly string[]
}

/** The strategy `side-by-side`: every service holds the target before the gateway moves, and what is served as well. */
export function planIndexServices(fleet: Fleet, wish: IndexWish): IndexSteps {
  const steps = listClusters(fleet, wish).map((cluster) => planIndexService(fleet, wish, cluster))
  return {
    load: steps.flatMap(({ load }) => load),
    follow: [],
    retire: [...steps.flatMap(({ retire }) => retire), ...planNoGroups(fleet)],
    loaded: wish.target.clusters.map((cluster) => indexServiceName(cluster)),
    followed: [],
  }
}

/** A fleet that was updated by replica groups has a second service for each cluster. */
function planNoGroups(fleet: Fleet): UnnumberedStep[] {
  return fleet.services
    .filter(({ spec }) => spec.cluster !== undefined && spec.name !== indexServiceName(spec.cluster))
    .map(({ spec }) => ({ action: 'stop', target: spec.name, cause: 'replicas are no longer in groups' }))
}

function listClusters(fleet: Fleet, { target, companion }: IndexWish): number[] {
  const running = fleet.services.flatMap(({ spec }) => (spec.cluster === undefined ? [] : [spec.cluster]))
  const all = new Set([...target.clusters, ...(companion?.clusters ?? []), ...running])
  return [...all].sort((a, b) => a - b)
}

function planIndexService(
  fleet: Fleet,
  wish: IndexWish,
  cluster: number,
): Pick<IndexSteps, 'load' | 'retire'> {
  const state = findService(fleet, indexServiceName(cluster))
  const final = listResidents(wish, cluster)
  const isServing = (one: GenerationRef) => isSameGeneration(wish.served ?? undefined, one)
  const held = state?.spec.generations.filter(isServing) ?? []
  const loaded = specOf(fleet, wish, cluster, [...final, ...held])
  const cause = final.length > 0 ? explainLoad(state, loaded, wish) : undefined
  const load = cause ? [changeStep('load', loaded, cause)] : []
  const after = cause ? loaded : state?.spec
  return {
    load,
    retire: after ? planRetirement(after, specOf(fleet, wish, cluster, final)) : [],
  }
}

function specOf(
  fleet: Fleet,
  { blueprint, nodes, target, companion }: IndexWish,
  cluster: number,
  generations: readonly GenerationRef[],
): ServiceSpec {
  const deliverable = [target, companion].filter((shape) => shape?.available)
  const isHere = (one: GenerationRef) => deliverable.some((shape) => isSameGeneration(shape?.generation, one))
  const held = generations.filter((one) => !isHere(one))
  const needs = { cluster, spread: blueprint.spread, held }
  const own = generations.length > 0 ? nodesOfShard(fleet, nodes, needs) : []
  return indexSpec(blueprint, own, cluster, generations)
}

function listResidents({ target, companion }: IndexWish, cluster: number): GenerationRef[] {
  const shapes = companion ? [companion, target] : [target]
  return shapes.filter(({ clusters }) => clusters.includes(cluster)).map(({ generation }) => generation)
}

/** Why the service has to change before the gateway moves; undefined when it holds all that it shall, as it shall. */
function explainLoad(
  state: ServiceState | undefined,
  loaded: ServiceSpec,
  { target }: IndexWish,
): string | undefined {
  if (!state) return `there is no ${loaded.name} yet`
  const missing = loaded.generations.find((one) => !hasAll(state.spec.generations, [one]))
  if (missing) {
    return isSameGeneration(missing, target.generation)
      ? `it does not hold ${missing.name} yet`
      : `${missing.name} stays loaded, so that going back is one switch`
  }
  if (!isSameSpec({ ...state.spec, generations: [] }, { ...loaded, generations: [] })) {
    return 'its nodes, replicas or settings differ from the profile'
  }
  return findServiceProblem(state)
}

function planRetirement(after: ServiceSpec, final: ServiceSpec): UnnumberedStep[] {
  if (isSameSpec(after, final)) return []
  const dropped = after.generations.filter((one) => !hasAll(final.generations, [one])).map(({ name }) => name)
  const cause = dropped.length > 0 ? `${dropped.join(', ')} is no longer needed` : 'no generation needs it'
  if (final.generations.length > 0) return [changeStep('retire', final, cause)]
  return [{ action: 'stop', target: final.name, cause }]
}

function changeStep(action: 'load' | 'retire', spec: ServiceSpec, cause: string): UnnumberedStep {
  return { action, target: spec.name, cause, spec }
}
