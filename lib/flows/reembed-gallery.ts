import { LongshoreError } from '../domain/errors.ts'
import { isGenerationName } from '../domain/generation.ts'
import { computeContentDigest, type Manifest, refOf } from '../domain/manifest.ts'
import type { Model } from '../domain/model.ts'
import { EMPTY_RECORD, type FleetRecord } from '../domain/record.ts'
import { findQuarantine, isFrozen } from '../domain/record-rules.ts'
import type { Context } from './context.ts'
import type { Gallery } from './gallery.ts'

/** The gallery that an operator names. Raises `not-found`. */
export async function openGallery(
  { generations, inputs, itemFiles }: Pick<Context, 'generations' | 'inputs' | 'itemFiles'>,
  { from, files }: { readonly from: string; readonly files?: string | undefined },
): Promise<Gallery> {
  const path = isGenerationName(from) ? generations.locate((await generations.read(from)).generation) : from
  const input = await inputs.open(path, { dimensions: 0 })
  return { input, files: itemFiles, root: files ?? input.root }
}

/**
 * The newest generation under another model, as what was made under this one is no reason to make it again; where the fleet's
 * record is given, none that failed or that an operator went back from. Raises `not-found`.
 */
export async function findNewestUnderOther(
  generations: Pick<Context['generations'], 'list' | 'read'>,
  { fingerprint, name }: Pick<Model, 'fingerprint' | 'name'>,
  record: FleetRecord = EMPTY_RECORD,
): Promise<Manifest> {
  for (const each of (await generations.list()).reverse()) {
    const manifest = await generations.read(each)
    const isUnder = manifest.bridge !== undefined || manifest.model.fingerprint === fingerprint
    if (!isUnder && !isOut(record, manifest)) return manifest
  }
  throw new LongshoreError('not-found', `there is no generation under another model than ${name}`, {
    hint: 'reembed.mjs --from takes a generation, a file or a directory of items',
  })
}

function isOut(record: FleetRecord, manifest: Manifest): boolean {
  const ref = refOf(manifest)
  return isFrozen(record, ref) || findQuarantine(record, ref, computeContentDigest(manifest)) !== undefined
}
