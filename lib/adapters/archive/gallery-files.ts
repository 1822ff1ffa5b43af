import { lstat, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { isPathBelow } from '../../domain/gallery-list.ts'
import type { FileEntry } from '../../domain/manifest.ts'
import type { GalleryFile, GalleryFiles } from '../../ports/archives.ts'
import { hasCode } from '../files/durable-files.ts'
import { readFileEntry } from '../generations/layout.ts'

/** How many missing files are named. */
const NAMED = 3

/**
 * Length and SHA-256 of each file, in the order of the paths. Raises `usage` for a path that leaves the root and for a link,
 * `not-found` naming files that are missing, `corrupt` for one that has changed since the generation was made.
 */
export async function listGalleryFiles(
  { root, files }: GalleryFiles,
  signal: AbortSignal,
): Promise<FileEntry[]> {
  const base = await realpath(root).catch((error: unknown) => raiseMissing(error, root, [root]))
  const missing: string[] = []
  for (const file of files) {
    signal.throwIfAborted()
    if (!(await isThere(base, file, root))) missing.push(file.path)
  }
  if (missing.length > 0) raiseMissing(undefined, root, missing)
  const entries: FileEntry[] = []
  for (const path of files.map((file) => file.path).sort()) {
    signal.throwIfAborted()
    entries.push(await readFileEntry(base, path))
  }
  return entries
}

async function isThere(base: string, file: GalleryFile, root: string): Promise<boolean> {
  const { path, bytes, modifiedMs } = file
  if (!isPathBelow(path))
    throw new LongshoreError('usage', `${path}: leaves the directory of the items, ${root}`)
  const whole = join(base, path)
  try {
    const found = await lstat(whole)
    if ((await realpath(whole)) !== whole || !found.isFile()) throw refuseLink(join(root, path))
    if ((bytes ?? found.size) === found.size && (modifiedMs ?? found.mtimeMs) === found.mtimeMs) return true
    throw new LongshoreError(
      'corrupt',
      `${join(root, path)}: has changed since the generation was made of it`,
      {
        hint: 'make a generation of the files as they are now, or keep this one without them: --no-files',
      },
    )
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}

function refuseLink(path: string): LongshoreError {
  return new LongshoreError('usage', `${path}: is a link or lies behind one, or is no plain file`, {
    hint: 'put the file itself there, or keep the generation without its files: --no-files',
  })
}

function raiseMissing(error: unknown, root: string, paths: readonly string[]): never {
  if (error !== undefined && !hasCode(error, 'ENOENT', 'ENOTDIR')) throw error
  const more = paths.length > NAMED ? ` and ${paths.length - NAMED} more` : ''
  const names = paths.slice(0, NAMED).join(', ')
  throw new LongshoreError('not-found', `files of items are missing below ${root}: ${names}${more}`, {
    hint: 'name the directory that they lie in: --files DIRECTORY, or keep the generation without them: --no-files',
    cause: error,
  })
}
