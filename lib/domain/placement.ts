import { LongshoreError } from './errors.ts'
import { type Fleet, type FleetNode, findHeld, isHeld } from './fleet.ts'
import type { GenerationRef } from './generation.ts'
import { countShards, type Portions } from './portions.ts'
import type { Group } from './service.ts'
import { listHolders, type Spread } from './shard-spread.ts'

/** What planning needs to know of a generation. */
export type Shape = {
  readonly generation: GenerationRef
  /** Ids of its clusters. */
  readonly clusters: readonly number[]
  readonly bytes: number
  /** Whether the operator's machine has it, to deliver it from. */
  readonly available: boolean
  /** What each node shall hold of it, where that is not all. */
  readonly portions?: Portions
}

/** Ids of the clusters whose shards a node shall hold of a generation; undefined for all. */
export function clustersFor({ portions }: Shape, node: string): readonly number[] | undefined {
  return portions && (portions.clustersOf.get(node) ?? [])
}

/** Whether a node holds all that it shall hold of a generation. */
export function isHeldAsWanted(node: FleetNode, shape: Shape): boolean {
  return isHeld(node, shape.generation, clustersFor(shape, node.name))
}

/** What has to come to a node; `of` is a cluster, what belongs to none, or the whole generation. */
export type Part = { readonly of: number | 'common' | 'all'; readonly bytes: number }

/** What a node shall hold of a generation, with what it has of it besides; all where shards are not spread. */
export function clustersAfter(node: FleetNode, shape: Shape): readonly number[] | undefined {
  const wanted = clustersFor(shape, node.name)
  const held = findHeld(node, shape.generation)
  if (!wanted || (held && !held.clusters)) return wanted && shape.clusters
  return [...new Set([...wanted, ...(held?.clusters ?? [])])].sort((a, b) => a - b)
}

/** What a node lacks of what it shall hold of a generation. */
export function listLacking(node: FleetNode, shape: Shape): Part[] {
  const { portions, generation, clusters, bytes } = shape
  const wanted = clustersFor(shape, node.name)
  if (!portions || !wanted) return [{ of: 'all', bytes }]
  const held = findHeld(node, generation)
  const own = held ? (held.clusters ?? clusters) : []
  return [
    ...(held ? [] : [{ of: 'common', bytes: portions.commonBytes } as const]),
    ...wanted
      .filter((cluster) => !own.includes(cluster))
      .map((cluster) => ({ of: cluster, bytes: portions.shardBytes.get(cluster) ?? 0 })),
  ]
}

/** Bytes of what a node shall hold of a generation. */
export function bytesFor({ portions, bytes }: Shape, node: string): number {
  if (!portions) return bytes
  return portions.commonBytes + countShards(portions, portions.clustersOf.get(node) ?? [])
}

/**
 * Reachable nodes that hold, or can be given, what every node has of the generations: tasks may run there, those that
 * serve a shard where {@link nodesOfShard} says.
 */
export function findEligibleNodes(fleet: Fleet, shapes: readonly Shape[]): FleetNode[] {
  const canServe = (node: FleetNode) =>
    shapes.every(
      ({ available, generation, portions }) => available || isHeld(node, generation, portions && []),
    )
  return fleet.nodes.filter((node) => node.reachable && canServe(node))
}

/** Node names in order of preference: each cluster begins with another node, so that the work is spread. */
export function placeTasks(names: readonly string[], offset: number): string[] {
  const start = names.length === 0 ? 0 : offset % names.length
  return [...names.slice(start), ...names.slice(0, start)]
}

/** What a service of a shard needs of the nodes that it may run on. */
export type ShardNeeds = {
  readonly cluster: number
  readonly spread: Spread | undefined
  /** The generations that it shall hold, as far as no delivery brings them to where they belong. */
  readonly held: readonly GenerationRef[]
}

/**
 * Those of the usable nodes that may serve a shard: all of them, or where shards are spread those that it lives on. Where
 * none of these has the generations that cannot be delivered any more, every node that has them. Raises `remote` when
 * there is none.
 */
export function nodesOfShard(
  { nodes }: Fleet,
  usable: readonly string[],
  { cluster, spread, held }: ShardNeeds,
): string[] {
  if (!spread) return [...usable]
  const holding = nodes
    .filter((node) => usable.includes(node.name) && held.every((one) => isHeld(node, one, [cluster])))
    .map(({ name }) => name)
  const holders = listHolders(spread, cluster)
  const own = holders.filter((name) => holding.includes(name))
  if (own.length > 0) return own
  if (held.length > 0 && holding.length > 0) return holding
  throw new LongshoreError(
    'remote',
    `no node that the shard of cluster ${cluster} lives on can be used (${holders.join(', ')}); nothing was changed`,
    {
      hint: 'doctor.mjs tells more about them; a node that is lost for good leaves the profile, and others get its shards',
    },
  )
}

/**
 * Those of the usable nodes that belong to a replica group: every other node of the profile, so that both groups never
 * meet on one node and a lost node moves no other one. Raises `remote` when a group has none.
 */
export function nodesOfGroup(fleet: Fleet, usable: readonly string[], group: Group): string[] {
  const own = fleet.nodes.map(({ name }) => name).filter((_, index) => index % 2 === (group === 'a' ? 0 : 1))
  const found = own.filter((name) => usable.includes(name))
  if (found.length > 0) return found
  throw new LongshoreError(
    'remote',
    `no node of replica group ${group} (${own.join(', ') || 'none in the profile'}) can be used; nothing was changed`,
    { hint: 'doctor.mjs tells more about the nodes; each group needs one that can be reached' },
  )
}
