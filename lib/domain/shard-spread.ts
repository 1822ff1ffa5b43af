import { hashText } from './text-hash.ts'

/** A node that shards may live on, and what it shares with others: such a domain may fail as one. */
export type SpreadNode = {
  readonly name: string
  /** The most important one first; every node has as many. */
  readonly domains: readonly string[]
}

/** Where shards live that are not on every node. */
export type Spread = {
  /** All nodes of the profile, whether they can be reached or not: a node that is away for a while moves no shard. */
  readonly nodes: readonly SpreadNode[]
  /** How many nodes each shard lives on. */
  readonly copies: number
}

/**
 * Names of the nodes that the shard of a cluster lives on, as many as there are at most: those of the highest weight by
 * rendezvous hashing, in other domains where there are some. So a node more takes only the shards that it gets itself.
 * Source: Thaler and Ravishankar, A Name-Based Mapping Scheme for Rendezvous, 1996.
 */
export function listHolders({ nodes, copies }: Spread, cluster: number): string[] {
  const left = nodes
    .map((node) => ({ ...node, weight: weigh(node.name, cluster) }))
    .sort((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : 1))
  const chosen: SpreadNode[] = []
  while (chosen.length < copies && left.length > 0) {
    const best = left.reduce((one, other) => (isFurther(other, one, chosen) ? other : one))
    chosen.push(best)
    left.splice(left.indexOf(best), 1)
  }
  return chosen.map(({ name }) => name)
}

/** Whether a node shares less with the chosen ones than another node does. */
function isFurther(node: SpreadNode, other: SpreadNode, chosen: readonly SpreadNode[]): boolean {
  for (const [level, domain] of node.domains.entries()) {
    const rival = other.domains[level]
    const difference = countOf(chosen, level, domain) - countOf(chosen, level, rival)
    if (difference !== 0) return difference < 0
  }
  return false
}

function countOf(chosen: readonly SpreadNode[], level: number, domain: string | undefined): number {
  return chosen.filter(({ domains }) => domains[level] === domain).length
}

/** 53 bits, which a number holds exactly. */
function weigh(name: string, cluster: number): number {
  const [high, low] = hashText(`${cluster} ${name}`)
  return high * 2 ** 21 + (low >>> 11)
}
