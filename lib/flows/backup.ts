import { LongshoreError } from '../domain/errors.ts'
import { countItems, type Manifest } from '../domain/manifest.ts'
import { findKeptFiles, type KeptFiles } from './backup-files.ts'
import type { Answer, Context } from './context.ts'
import { followBytes } from './follow-bytes.ts'

export type BackupContext = Pick<
  Context,
  'archives' | 'generations' | 'inputs' | 'reporter' | 'signal' | 'dryRun'
>

export type BackupRequest = {
  /** The newest one by default. */
  readonly generation: string | undefined
  readonly to: string | undefined
  /** The directory of the files that items stand for; where it was found when the generation was made, by default; none for `false`. */
  readonly files?: string | false | undefined
}

/** Writes a generation with its items and their files into one file, and proves it. Raises `not-found`, and as `Archives.write`. */
export async function backup(
  context: BackupContext,
  { generation, to, files }: BackupRequest,
): Promise<Answer> {
  const { archives, generations, dryRun } = context
  const name = generation ?? (await generations.list()).at(-1)
  if (name === undefined) throw new LongshoreError('not-found', 'there is no generation to back up')
  const manifest = await generations.read(name)
  const path = to ?? `${name}.tar`
  const kept = await findKeptFiles(context, manifest, files)
  const told = describeFiles(kept)
  const count = kept.gallery?.files.length ?? 0
  if (dryRun) return answer(manifest, { text: `would write ${path}${told}`, path, files: count })
  const carried = followBytes(context, `back up ${name}`)
  const written = await archives.write(manifest, path, { ...carried, gallery: kept.gallery })
  const text = `${path}: ${name} with ${countItems(manifest)} items${told}, ${written.bytes} bytes, read back\nsha256:${written.sha256}`
  return answer(manifest, { text, ...written, path, files: count })
}

function describeFiles({ gallery, left }: KeptFiles): string {
  if (gallery) return ` and ${gallery.files.length} files of ${gallery.root}`
  return left > 0 ? `, without the ${left} files that these stand for (--files DIRECTORY keeps them too)` : ''
}

export type RestoreRequest = {
  readonly path: string
  /** The directory to make of the files that items stand for; they stay in the archive by default. */
  readonly files?: string | undefined
}

/** Makes the generation of an archive, and a directory of its files. Raises `usage` where another one has its name. */
export async function restore(context: BackupContext, { path, files }: RestoreRequest): Promise<Answer> {
  const { archives, generations, dryRun } = context
  const inside = await archives.readManifest(path)
  const { generation, digest } = inside
  const hasGeneration = await isThere(context, inside, path)
  if (hasGeneration && files === undefined) {
    const text = `${generation} is there already\n${digest}`
    return { ...answer(inside, { text, path }), outcome: 'nothing-to-do' }
  }
  const place = generations.locate(generation)
  if (dryRun) {
    const made = [...(hasGeneration ? [] : [place]), ...(files === undefined ? [] : [files])]
    return answer(inside, { text: `would make ${made.join(' and ')}`, path })
  }
  const carried = followBytes(context, `restore ${generation}`)
  const { files: count, isMade } = await archives.restore(path, { ...carried, hasGeneration, files })
  const made = hasGeneration ? 'is there already' : `restored: ${countItems(inside)} items, ${place}`
  const text = `${generation} ${made}${describeRestored(count, files)}\n${digest}`
  return { ...answer(inside, { text, path, files: count }), outcome: isMade ? 'done' : 'nothing-to-do' }
}

/** Whether the generation of an archive is there. Raises `usage` for another one of its name. */
async function isThere(
  { generations }: BackupContext,
  { generation, digest }: Manifest,
  path: string,
): Promise<boolean> {
  if (!(await generations.list()).includes(generation)) return false
  if ((await generations.read(generation)).digest === digest) return true
  throw new LongshoreError('usage', `${generation} is there already, and is another one than in ${path}`, {
    hint: 'move the generation that is there away first; nothing is overwritten',
  })
}

function describeRestored(count: number, files: string | undefined): string {
  if (files !== undefined) return `; ${count} files of its items, ${files}`
  return count > 0 ? `; the ${count} files of its items are sound, and made by --files DIRECTORY` : ''
}

function answer(
  { generation, digest }: Manifest,
  { text, ...json }: { readonly text: string; readonly path: string; readonly files?: number },
): Answer {
  return { outcome: 'done', text, json: { ...json, generation, digest } }
}
