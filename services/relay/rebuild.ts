import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { applyPatch } from '../../lib/adapters/delta/apply-patch.ts'
import { hasCode } from '../../lib/adapters/files/durable-files.ts'
import type { RebuiltFile } from '../../lib/adapters/relay/protocol.ts'
import { LongshoreError, messageOf } from '../../lib/domain/errors.ts'
import { isGenerationName } from '../../lib/domain/generation.ts'
import type { FileEntry } from '../../lib/domain/manifest.ts'
import { parseManifest } from '../../lib/domain/parse-manifest.ts'
import { selectFiles } from '../../lib/domain/portions.ts'
import { checkRoom } from './intake.ts'
import { isPatchName, locatePartial } from './partial-directory.ts'

export type RebuildTask = {
  readonly dataDirectory: string
  readonly generation: string
  /** Name of the generation to begin with. */
  readonly base: string
  /** Name of the patch, which has been brought. */
  readonly patch: string
  /** Of the generation to be, as JSON. */
  readonly manifest: string
  /** Ids of the clusters whose shards are wanted; all where left out. */
  readonly clusters?: readonly number[]
}

/**
 * Puts the files of a generation together from one that is held and a patch. Where that cannot be done, every file has
 * this as its problem. Raises `usage` for names that lead elsewhere, `corrupt` for a bad manifest, and `ENOSPC`.
 */
export async function rebuild(task: RebuildTask, signal: AbortSignal): Promise<RebuiltFile[]> {
  const { dataDirectory, generation, base, patch, clusters } = task
  if (!isGenerationName(base) || !isPatchName(patch)) {
    throw new LongshoreError(
      'usage',
      `${JSON.stringify({ base, patch })} are no names of a generation and a patch`,
    )
  }
  const manifest = parseManifest(task.manifest, 'the manifest of "rebuild"')
  const directory = locatePartial(dataDirectory, generation)
  const files = selectFiles(manifest, clusters)
  await checkRoom(directory, await countMissing(directory, files))
  const options = {
    baseDirectory: join(dataDirectory, base),
    patch: join(directory, patch),
    directory,
    manifest,
    files,
    signal,
  }
  try {
    return await applyPatch(options)
  } catch (error) {
    if (signal.aborted || hasCode(error, 'ENOSPC', 'EDQUOT')) throw error
    return files.map(({ path }) => ({ path, problem: messageOf(error) }))
  }
}

/** Bytes of the files that are not there yet. */
async function countMissing(directory: string, files: readonly FileEntry[]): Promise<number> {
  let missing = 0
  for (const { path, bytes } of files) {
    const found = await lstat(join(directory, path)).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return undefined
      throw error
    })
    if (found?.size !== bytes) missing += bytes
  }
  return missing
}
