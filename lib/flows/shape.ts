import type { Profile } from '../config/schema.ts'
import { queryModelOf } from '../domain/bridge.ts'
import { LongshoreError } from '../domain/errors.ts'
import { type Fleet, isHeld } from '../domain/fleet.ts'
import { type GenerationRef, isSameGeneration } from '../domain/generation.ts'
import { countBytes, type Manifest, refOf } from '../domain/manifest.ts'
import { parseRanges } from '../domain/number-ranges.ts'
import type { Shape } from '../domain/placement.ts'
import { hasAll } from '../domain/plan-services.ts'
import { planPortions } from '../domain/portions.ts'
import type { Release } from '../domain/record.ts'
import type { FleetContext } from './context.ts'
import { createSpread } from './spread.ts'

/** What planning needs to know of a generation that lies on the operator's machine. */
export function shapeOf(manifest: Manifest, profile: Profile): Shape {
  const clusters = manifest.clusters.map(({ id }) => id)
  const { fingerprint: model } = queryModelOf(manifest)
  const about = { generation: refOf(manifest), clusters, model, bytes: countBytes(manifest), available: true }
  return withPortions(about, profile, manifest.files)
}

function withPortions(shape: Shape, profile: Profile, files: Manifest['files'] = []): Shape {
  const spread = createSpread(profile)
  return spread ? { ...shape, portions: planPortions({ clusters: shape.clusters, files }, spread) } : shape
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
  if (manifest?.digest === generation.digest) return shapeOf(manifest, context.profile)
  const holders = fleet.services.filter(
    ({ spec }) => spec.kind === 'index' && hasAll(spec.generations, [generation]),
  )
  const loaded = [...new Set(holders.map(({ spec }) => spec.cluster!))]
  const release = await findRelease(context, generation)
  const clusters = release?.clusters === undefined ? loaded : parseRanges(release.clusters)
  if (holders.length === 0 && !isOnNodes(fleet, generation, context.profile, clusters)) return null
  if (clusters.length === 0) return null
  const { model } = release ?? {}
  const shape = { generation, clusters, ...(model !== undefined && { model }), bytes: 0, available: false }
  return withPortions(shape, context.profile)
}

/** Whether every node that can be reached holds a generation, or where shards are spread each is on one of them. */
function isOnNodes(
  { nodes }: Fleet,
  generation: GenerationRef,
  { delivery }: Profile,
  clusters: readonly number[],
): boolean {
  const reachable = nodes.filter((node) => node.reachable)
  if (delivery.scope === 'broadcast') return reachable.every((node) => isHeld(node, generation))
  return clusters.every((cluster) => reachable.some((node) => isHeld(node, generation, [cluster])))
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
