import { LongshoreError } from '../domain/errors.ts'
import type { Fleet } from '../domain/fleet.ts'
import type { GenerationRef } from '../domain/generation.ts'
import { countBytes, type Manifest, refOf } from '../domain/manifest.ts'
import type { Shape } from '../domain/placement.ts'
import { hasAll } from '../domain/plan-services.ts'
import type { FleetContext } from './context.ts'

/** What planning needs to know of a generation that lies on the operator's machine. */
export function shapeOf(manifest: Manifest): Shape {
  const clusters = manifest.clusters.map(({ id }) => id)
  return { generation: refOf(manifest), clusters, bytes: countBytes(manifest), available: true }
}

/** As {@link shapeOf}; of a generation that is gone from the operator's machine, what the index services tell. */
export async function findShape(
  context: FleetContext,
  fleet: Fleet,
  generation: GenerationRef,
): Promise<Shape | null> {
  const manifest = await readManifest(context, generation.name)
  if (manifest?.digest === generation.digest) return shapeOf(manifest)
  const holders = fleet.services.filter(
    ({ spec }) => spec.kind === 'index' && hasAll(spec.generations, [generation]),
  )
  const clusters = holders.map(({ spec }) => spec.cluster!)
  return clusters.length > 0 ? { generation, clusters, bytes: 0, available: false } : null
}

async function readManifest(context: FleetContext, name: string): Promise<Manifest | null> {
  try {
    return await context.generations.read(name)
  } catch (error) {
    if (error instanceof LongshoreError && ['not-found', 'corrupt'].includes(error.kind)) return null
    throw error
  }
}
