import { LongshoreError } from '../domain/errors.ts'
import { type Fleet, isHeld } from '../domain/fleet.ts'
import { type GenerationRef, isSameGeneration } from '../domain/generation.ts'
import { countBytes, type Manifest, refOf } from '../domain/manifest.ts'
import { parseRanges } from '../domain/number-ranges.ts'
import type { Shape } from '../domain/placement.ts'
import { hasAll } from '../domain/plan-services.ts'
import type { Release } from '../domain/record.ts'
import type { FleetContext } from './context.ts'

/** What planning needs to know of a generation that lies on the operator's machine. */
export function shapeOf(manifest: Manifest): Shape {
  const clusters = manifest.clusters.map(({ id }) => id)
  return {
    ...{ generation: refOf(manifest), clusters, model: manifest.model.fingerprint },
    ...{ bytes: countBytes(manifest), available: true },
  }
}

/**
 * As {@link shapeOf}; of a generation that is gone from the operator's machine, but loaded or held by every node that
 * can be reached, what the record of its release tells, or the index services that hold it.
 */
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
  const isOnNodes = fleet.nodes.every((node) => !node.reachable || isHeld(node, generation))
  if (holders.length === 0 && !isOnNodes) return null
  const loaded = [...new Set(holders.map(({ spec }) => spec.cluster!))]
  const release = await findRelease(context, generation)
  const clusters = release?.clusters === undefined ? loaded : parseRanges(release.clusters)
  if (clusters.length === 0) return null
  const { model } = release ?? {}
  return { generation, clusters, ...(model !== undefined && { model }), bytes: 0, available: false }
}

async function findRelease({ state }: FleetContext, generation: GenerationRef): Promise<Release | undefined> {
  const { releases } = await state.read()
  return releases.findLast((one) => isSameGeneration(one.generation, generation))
}

async function readManifest(context: FleetContext, name: string): Promise<Manifest | null> {
  try {
    return await context.generations.read(name)
  } catch (error) {
    if (error instanceof LongshoreError && ['not-found', 'corrupt'].includes(error.kind)) return null
    throw error
  }
}
