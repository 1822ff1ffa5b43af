import { join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { countBytes, type FileEntry, type Manifest } from '../../domain/manifest.ts'
import type { Carried } from '../../ports/archives.ts'
import { type CopyOptions, copyFile, findFileProblem } from '../local/file-copy.ts'
import { makeBeside } from './make-beside.ts'
import { checkSpace } from './partial.ts'

/** A manifest, and where the files lie that it tells of. */
export type Adopted = { readonly manifest: Manifest; readonly directory: string }

/** Makes a generation below `root` of files of another place, as `GenerationWriter.adopt` tells. */
export async function adoptGeneration(
  root: string,
  { manifest, directory }: Adopted,
  { signal, onBytes }: Carried,
): Promise<void> {
  const total = countBytes(manifest)
  const options = { signal, onBytes: (bytes: number) => onBytes(bytes, total) }
  await makeBeside(root, manifest.generation, async (beside) => {
    await checkSpace(root, total)
    for (const file of manifest.files) await adoptFile({ from: directory, to: beside, file }, options)
    return manifest
  })
}

async function adoptFile(
  { from, to, file }: { readonly from: string; readonly to: string; readonly file: FileEntry },
  options: CopyOptions,
): Promise<void> {
  await copyFile(from, file.path, join(to, file.path), options)
  const problem = await findFileProblem(join(to, file.path), file, options.signal)
  if (problem === undefined) return
  throw new LongshoreError('corrupt', `${from}: ${problem}`, {
    hint: 'verify.mjs of the fleet that it comes from tells whether a node holds a sound copy',
  })
}
