import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { countBytes, type FileEntry, MANIFEST_FILE, type Manifest } from '../../domain/manifest.ts'
import type { Carried } from '../../ports/archives.ts'
import { hasCode, syncDirectory, writeSynced } from '../files/durable-files.ts'
import { copyFile, findFileProblem } from '../local/file-copy.ts'
import { explainDiskError } from './disk-error.ts'
import { checkSpace, partialName, removeStale } from './partial.ts'

/** A manifest, and where the files lie that it tells of. */
export type Adopted = { readonly manifest: Manifest; readonly directory: string }

/** Makes a generation below `root` of files of another place, as `GenerationWriter.adopt` tells. */
export async function adoptGeneration(
  root: string,
  { manifest, directory }: Adopted,
  carried: Carried,
): Promise<void> {
  const { generation, files } = manifest
  await removeStale(root)
  await checkSpace(root, countBytes(manifest))
  const beside = join(root, partialName(generation))
  try {
    await mkdir(beside)
    const total = countBytes(manifest)
    const onBytes = (bytes: number) => carried.onBytes(bytes, total)
    for (const file of files) await adoptFile({ from: directory, to: beside, file }, { ...carried, onBytes })
    await writeSynced(join(beside, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`)
    for (const inner of new Set(files.map(({ path }) => dirname(path))))
      await syncDirectory(join(beside, inner))
    await syncDirectory(beside)
    await rename(beside, join(root, generation))
    await syncDirectory(root)
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw explainDiskError(error)
    throw new LongshoreError('usage', `${join(root, generation)} was made by somebody else meanwhile`)
  } finally {
    await rm(beside, { recursive: true, force: true })
  }
}

async function adoptFile(
  { from, to, file }: { readonly from: string; readonly to: string; readonly file: FileEntry },
  options: { readonly signal: AbortSignal; readonly onBytes: (bytes: number) => void },
): Promise<void> {
  await copyFile(from, file.path, join(to, file.path), options)
  const problem = await findFileProblem(join(to, file.path), file, options.signal)
  if (problem === undefined) return
  throw new LongshoreError('corrupt', `${from}: ${problem}`, {
    hint: 'verify.mjs of the fleet that it comes from tells whether a node holds a sound copy',
  })
}
