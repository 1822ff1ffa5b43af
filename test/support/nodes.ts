import type { FleetNode } from '../../lib/domain/fleet.ts'
import type { GenerationRef } from '../../lib/domain/generation.ts'

/** A node that can be reached, with room enough. */
export function makeNode(name: string, generations: readonly GenerationRef[] = []): FleetNode {
  return { name, reachable: true, freeBytes: 1e9, memoryBytes: 1e9, generations }
}
