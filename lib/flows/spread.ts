import type { Profile } from '../config/schema.ts'
import type { Spread, SpreadNode } from '../domain/shard-spread.ts'

/**
 * Where a profile wants shards, undefined for everywhere. A shard is on at least as many nodes as it has replicas, in
 * different zones, and in both replica groups where there are such.
 */
export function createSpread({ nodes, delivery, index, update }: Profile): Spread | undefined {
  if (delivery.scope === 'broadcast') return undefined
  const isGrouped = update.strategy === 'replica-groups'
  const describeNode = ({ name, zone = name }: Profile['nodes'][number], at: number): SpreadNode => ({
    name,
    // As nodesOfGroup divides them.
    domains: [...(isGrouped ? [String(at % 2)] : []), zone],
  })
  return { nodes: nodes.map(describeNode), copies: Math.max(delivery.copies, index.replicas) }
}
