import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { MANIFEST_FILE, type Manifest } from '../../domain/manifest.ts'
import { hasCode, syncDirectory, writeSynced } from '../files/durable-files.ts'
import { explainDiskError } from './disk-error.ts'
import { partialName, removeStale } from './partial.ts'

/**
 * Makes a generation beside its place below `root`: `write` puts its files on disk in a directory and tells its manifest, then
 * it gets its name. Raises `usage` when that is taken, `remote` when the disk is full; then nothing stands under it.
 */
export async function makeBeside(
  root: string,
  generation: string,
  write: (directory: string) => Promise<Manifest>,
): Promise<Manifest> {
  await removeStale(root)
  const beside = join(root, partialName(generation))
  try {
    await mkdir(beside, { recursive: true })
    const manifest = await write(beside)
    await writeSynced(join(beside, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`)
    for (const below of listDirectories(manifest)) await syncDirectory(join(beside, below))
    await rename(beside, join(root, generation))
    await syncDirectory(root)
    return manifest
  } catch (error) {
    await rm(beside, { recursive: true, force: true })
    throw hasCode(error, 'ENOTEMPTY', 'EEXIST') ? explainTaken(generation) : explainDiskError(error)
  }
}

/** The directories of a generation's files, its own among them. */
export function listDirectories({ files }: Pick<Manifest, 'files'>): string[] {
  return [...new Set(files.map(({ path }) => dirname(path)))]
}

function explainTaken(generation: string): LongshoreError {
  return new LongshoreError('usage', `${generation} was made by somebody else meanwhile`, {
    hint: 'run the same command again, it takes the next number',
  })
}
