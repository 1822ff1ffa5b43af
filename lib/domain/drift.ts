import { type Fleet, type FleetNode, findService, findServiceProblem, isHeld, listServed } from './fleet.ts'
import { isSameGeneration } from './generation.ts'
import type { FleetRecord } from './record.ts'
import { lastRelease } from './record-rules.ts'
import { GATEWAY, type ServiceSpec, type ServiceState } from './service.ts'

/** Sentences on everything that stands otherwise than it was left: an operator or an update should look at it. */
export function findDrift(fleet: Fleet, record: FleetRecord): string[] {
  return [
    ...findUnfinished(record),
    ...findServingDrift(fleet, record),
    ...fleet.nodes.filter(({ reachable }) => !reachable).map(describeLost),
    ...fleet.services.flatMap((service) => [
      ...[findServiceProblem(service)].filter((problem) => problem !== undefined),
      ...findLackingNodes(fleet.nodes, service),
    ]),
  ]
}

function findUnfinished({ run }: FleetRecord): string[] {
  if (!run) return []
  const doing = run.phase === 'forward' ? 'is unfinished' : 'failed and has not been brought back'
  return [`the ${run.command} to ${run.target.name}, begun ${run.startedAt} by ${run.owner}, ${doing}`]
}

function findServingDrift(fleet: Fleet, record: FleetRecord): string[] {
  const release = lastRelease(record)
  const served = listServed(fleet)
  const names = served.map(({ name }) => name).join(' and ')
  if (served.length > 1) return [`gateway tasks route by different generations: ${names}`]
  if (release && !findService(fleet, GATEWAY))
    return [`${release.generation.name} was released, but no gateway runs`]
  if (!served[0] || isSameGeneration(served[0], release?.generation)) return []
  return [`the gateway routes by ${names}, but the last release is ${release?.generation.name ?? 'none'}`]
}

function describeLost({ name, problem }: FleetNode): string {
  return `${name} cannot be reached${problem ? `: ${problem}` : ''}`
}

function findLackingNodes(nodes: readonly FleetNode[], { spec, tasks }: ServiceState): string[] {
  const used = nodes.filter((node) => node.reachable && tasks.some((task) => task.node === node.name))
  return used.flatMap((node) =>
    spec.generations
      .filter((generation) => !isHeld(node, generation, clustersOf(spec)))
      .map(({ name }) => `${node.name} does not hold ${name}, which ${spec.name} shall serve there`),
  )
}

/** The clusters whose shards tasks of a service read; undefined for all, as where shards are not spread. */
function clustersOf({ isSpread, cluster }: ServiceSpec): number[] | undefined {
  if (!isSpread) return undefined
  return cluster === undefined ? [] : [cluster]
}
