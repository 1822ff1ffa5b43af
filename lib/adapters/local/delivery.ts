import { readdir, rm } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { type FileEntry, MANIFEST_FILE, type Manifest } from '../../domain/manifest.ts'
import { hasCode, syncDirectory, writeDurably } from '../files/durable-files.ts'
import { type copyFile, findFileProblem } from './file-copy.ts'
import { resolveInside } from './node-directory.ts'

/** One generation on its way to one node. */
export type Delivery = {
  readonly node: string
  readonly manifest: Manifest
  /** Those of its files that the node shall hold. */
  readonly files: readonly FileEntry[]
  /** Directories that may hold the generation, in the order in which they are asked for each file. */
  readonly from: readonly string[]
  /** Directory on the node that it is put together in. */
  readonly partial: string
  readonly readFree: (directory: string) => Promise<number>
  readonly copy: typeof copyFile
  readonly signal: AbortSignal
  readonly onBytes: (bytes: number) => void
}

/**
 * Makes `partial` hold exactly what the manifest says, every file read back from its disk. Keeps what an earlier
 * attempt has brought over whole. Resolves to the bytes sent. Raises `remote` when there is no room, and then leaves
 * nothing; `corrupt` when a file arrives otherwise than the manifest says.
 */
export async function deliverFiles(delivery: Delivery): Promise<number> {
  const { partial, manifest, readFree } = delivery
  const missing = await findMissing(delivery)
  const needed = missing.reduce((sum, entry) => sum + entry.bytes, 0)
  try {
    if (needed > (await readFree(partial))) throw Object.assign(new Error('no room'), { code: 'ENOSPC' })
    for (const entry of missing) await deliverFile(entry, delivery)
    await removeStrangers(delivery)
    await writeDurably(join(partial, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`)
    await syncDirectories(partial)
  } catch (error) {
    throw await explainFailure(delivery, error)
  }
  return needed
}

async function findMissing({ partial, files, signal }: Delivery): Promise<FileEntry[]> {
  try {
    const missing: FileEntry[] = []
    for (const entry of files) {
      if (await findFileProblem(resolveInside(partial, entry.path), entry, signal)) missing.push(entry)
    }
    return missing
  } catch (error) {
    if (!(error instanceof LongshoreError && error.kind === 'corrupt')) throw error
    // Links and other things that no delivery makes: nothing of it is worth keeping.
    await rm(partial, { recursive: true, force: true })
    return [...files]
  }
}

async function deliverFile(entry: FileEntry, delivery: Delivery): Promise<void> {
  const { node, from, manifest } = delivery
  let problem = 'there is no source'
  for (const directory of from) {
    const found = await takeFile(directory, entry, delivery).catch((error: unknown) => {
      // The last source speaks for all.
      if (error instanceof LongshoreError && directory !== from.at(-1)) return error.message
      throw error
    })
    if (found === undefined) return
    problem = found
  }
  throw new LongshoreError('corrupt', `${node}: ${manifest.generation} arrived damaged: ${problem}`, {
    hint: `${from.at(-1) ?? 'every source'} differs from its own manifest, or a disk fails: split again, then deliver again`,
  })
}

/** What is wrong with a file as it came from one source; undefined when nothing is. */
async function takeFile(
  directory: string,
  entry: FileEntry,
  { partial, copy, signal, onBytes }: Delivery,
): Promise<string | undefined> {
  const target = resolveInside(partial, entry.path)
  await copy(directory, entry.path, target, { signal, onBytes })
  const problem = await findFileProblem(target, entry, signal)
  if (problem) await rm(target, { force: true })
  return problem
}

/** Deletes what an attempt with another manifest of the same name left. */
async function removeStrangers({ partial, files }: Delivery): Promise<void> {
  const expected = new Set(files.map((entry) => entry.path))
  for (const found of await readdir(partial, { recursive: true, withFileTypes: true })) {
    const path = join(found.parentPath, found.name)
    const name = relative(partial, path)
    const isNeeded =
      expected.has(name) || (found.isDirectory() && [...expected].some((one) => dirname(one) === name))
    if (!isNeeded) await rm(path, { recursive: true, force: true })
  }
}

async function syncDirectories(partial: string): Promise<void> {
  for (const found of await readdir(partial, { withFileTypes: true })) {
    if (found.isDirectory()) await syncDirectory(join(partial, found.name))
  }
  await syncDirectory(partial)
}

/** The error for the operator. What is there already stays for the next attempt, unless there was no room. */
async function explainFailure(delivery: Delivery, cause: unknown): Promise<unknown> {
  const { node, manifest, files, partial, readFree } = delivery
  if (hasCode(cause, 'ENOSPC', 'EDQUOT')) {
    await rm(partial, { recursive: true, force: true })
    const free = await readFree(dirname(partial))
    const needed = files.reduce((sum, entry) => sum + entry.bytes, 0)
    return new LongshoreError(
      'remote',
      `${node} has no room for ${manifest.generation}: it needs ${needed} bytes, ${free} are free`,
      { hint: `free some space on ${node}, or lower update.keep in the profile`, cause },
    )
  }
  return cause
}
