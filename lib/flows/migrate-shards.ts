import { LongshoreError } from '../domain/errors.ts'
import {
  countGallery,
  describeCounts,
  describeGallery,
  type GalleryCounts,
} from '../domain/gallery-counts.ts'
import { countItems, type Manifest } from '../domain/manifest.ts'
import type { FleetGallery, ShardSource } from '../ports/shard-source.ts'
import type { Answer, Context } from './context.ts'
import { findDeclaredModel } from './declared-models.ts'
import { followBytes } from './follow-bytes.ts'
import { reembed } from './reembed.ts'
import type { ReembedRequest } from './remake.ts'
import { update } from './update.ts'
import { verify } from './verify.ts'

export type MigrateShardsRequest = Pick<ReembedRequest, 'model' | 'device' | 'files' | 'retryDead'> & {
  /** A file in the shape of FindFace's migration. */
  readonly config: string
  /** The generation of the other fleet; the only one that its shards hold by default. */
  readonly from?: string | undefined
}

/**
 * Moves the gallery of another fleet, read from its index services, to this one under another model: read, re-embed, update,
 * verify, and counts held against each other. Raises what its parts raise, and `corrupt` where counts differ.
 */
export async function migrateShards(context: Context, request: MigrateShardsRequest): Promise<Answer> {
  findDeclaredModel(context.profile, request.model)
  const source = await context.shardSources.open(request.config)
  try {
    for (const note of source.notes) context.reporter.note(note)
    const before = await source.describe(request.from, context.signal)
    context.reporter.note(`from: ${describeGallery(before)}, ${before.shards.length} shards`)
    if (context.dryRun) return tellDryRun(before)
    return await moveGallery(context, { ...request, source, before })
  } finally {
    await source.close()
  }
}

async function moveGallery(
  context: Context,
  { source, before, ...request }: MigrateShardsRequest & { source: ShardSource; before: FleetGallery },
): Promise<Answer> {
  const from = await source.fetch(before, followBytes(context, `read ${before.generation}`))
  const made = await reembed(context, { ...request, from })
  const manifest = await context.generations.read(String(made.json.generation))
  const after = countGallery(manifest)
  const moved = await update(context, { generation: manifest.generation })
  const verified = await verify(context, { generation: manifest.generation })
  const held = await source.observe(manifest.generation, context.signal)
  if (held) checkHeld(held, manifest)
  const counts = { before: countsOf(before), after, left: before.objects - after.objects }
  const text = `${describeCounts(before, after)}${counts.left > 0 ? `; ${counts.left} left out, as told above` : ''}`
  return {
    outcome: [made, moved].every(({ outcome }) => outcome === 'nothing-to-do') ? 'nothing-to-do' : 'done',
    text: [made.text, moved.text, verified.text, text].join('\n'),
    json: { ...made.json, ...moved.json, ...counts, embedding: made.json.embedding },
  }
}

/** Raises `corrupt` where the shards of this fleet, as the file names them, hold something else than what was made. */
function checkHeld({ digest, objects }: FleetGallery, manifest: Manifest): void {
  const expected = countItems(manifest)
  if (digest === manifest.digest && objects === expected) return
  throw new LongshoreError(
    'corrupt',
    `storage-api-to: its shards hold ${digest} with ${objects} objects, expected ${manifest.digest} with ${expected}`,
    { hint: 'status.mjs tells what is served; name the index services of this fleet' },
  )
}

function tellDryRun(before: FleetGallery): Answer {
  const text = `would read ${describeGallery(before)} from ${before.shards.length} shards of ${before.generation}`
  return { outcome: 'done', text, json: { before: countsOf(before) } }
}

function countsOf({ emben_model, emben_size, objects }: GalleryCounts): GalleryCounts {
  return { emben_model, emben_size, objects }
}
