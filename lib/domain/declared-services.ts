import { type Fleet, findHeld, findService } from './fleet.ts'
import { type GenerationRef, isSameGeneration } from './generation.ts'
import { nodesOfGroup, nodesOfShard } from './placement.ts'
import {
  type Blueprint,
  extractionSpecs,
  gatewaySpec,
  groupSpec,
  hasAll,
  indexSpec,
  sortGenerations,
} from './plan-services.ts'
import { GATEWAY, GROUPS, type Group, indexServiceName, type ServiceSpec } from './service.ts'

export type Declaration = {
  readonly blueprint: Blueprint
  /** The generation in service. */
  readonly served: GenerationRef
  /** The one that stays loaded beside it. */
  readonly companion: GenerationRef | null
  /** Ids of the clusters of the generation in service. */
  readonly clusters: readonly number[]
  /** Fingerprints of the models of what is loaded, where they are known. */
  readonly models: readonly (string | undefined)[]
  readonly nodes: readonly string[]
}

/**
 * The services that a profile declares around the generations that are loaded now: every one keeps those that it holds,
 * and stays in groups where it is in one. A cluster of the generation in service that nothing serves gets its index
 * service back. Raises `remote` when a group has no node.
 */
export function listDeclared(fleet: Fleet, declaration: Declaration): ServiceSpec[] {
  const { blueprint, nodes, served } = declaration
  const clusters = listClusters(fleet, declaration)
  return [
    ...extractionSpecs(blueprint, nodes, declaration.models),
    ...(isGrouped(fleet)
      ? clusters.flatMap((cluster) => GROUPS.map((group) => declareGroup(fleet, declaration, cluster, group)))
      : clusters.map((cluster) => {
          const held = listResidents(fleet, declaration, cluster)
          const own = nodesOfShard(fleet, nodes, { cluster, spread: blueprint.spread, held })
          return indexSpec(blueprint, own, cluster, held)
        })),
    gatewaySpec(blueprint, nodes, served),
  ]
}

/**
 * Nodes of the profile for its services: those that hold every generation which is loaded, or their part of it, and those on which services
 * are placed already, because moving tasks away from lost data is not the business of settings.
 */
export function listPlaces(fleet: Fleet, served: GenerationRef): string[] {
  const loaded = listLoaded(fleet, served)
  const placed = findService(fleet, GATEWAY)?.spec.nodes ?? []
  return fleet.nodes
    .filter((node) => node.reachable)
    .filter((node) => placed.includes(node.name) || loaded.every((one) => findHeld(node, one)))
    .map(({ name }) => name)
}

/** Every generation that index services hold, and the one in service, oldest first. */
export function listLoaded(fleet: Fleet, served: GenerationRef): GenerationRef[] {
  const held = fleet.services.filter(({ spec }) => spec.kind === 'index')
  return sortGenerations([...held.flatMap(({ spec }) => spec.generations), served])
}

function listClusters(fleet: Fleet, { clusters, served, companion }: Declaration): number[] {
  const needed = [served, ...(companion ? [companion] : [])]
  const isNeeded = ({ generations }: ServiceSpec) =>
    generations.some((one) => needed.some((other) => isSameGeneration(one, other)))
  const running = fleet.services.flatMap(({ spec }) => (isNeeded(spec) ? (spec.cluster ?? []) : []))
  return [...new Set([...clusters, ...running])].sort((a, b) => a - b)
}

function listResidents(fleet: Fleet, declaration: Declaration, cluster: number): GenerationRef[] {
  const { clusters, served } = declaration
  const held = findService(fleet, indexServiceName(cluster))?.spec.generations ?? []
  return !clusters.includes(cluster) || hasAll(held, [served]) ? [...held] : [...held, served]
}

/** Whether index services stand in replica groups; it is for an update to bring them in and out. */
function isGrouped(fleet: Fleet): boolean {
  return fleet.services.some(({ spec }) => spec.kind === 'index' && spec.order === 'stop-first')
}

function declareGroup(
  fleet: Fleet,
  { blueprint, nodes, served }: Declaration,
  cluster: number,
  group: Group,
): ServiceSpec {
  const [held = served] = findService(fleet, indexServiceName(cluster, group))?.spec.generations ?? []
  const own = nodesOfShard(fleet, nodes, { cluster, spread: blueprint.spread, held: [held] })
  return groupSpec(blueprint, nodesOfGroup(fleet, own, group), { cluster, group }, held)
}
