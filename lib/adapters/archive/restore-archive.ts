import { existsSync, readdirSync, statSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { countBytes, MANIFEST_FILE } from '../../domain/manifest.ts'
import type { Carried, Restored, RestoreOptions } from '../../ports/archives.ts'
import { hasCode, syncDirectory, writeSynced } from '../files/durable-files.ts'
import { explainDiskError } from '../generations/disk-error.ts'
import { readFileEntry } from '../generations/layout.ts'
import { checkSpace, partialName, removeStale } from '../generations/partial.ts'
import { proveFile, writeProven } from './prove-file.ts'
import { readArchive } from './read-archive.ts'

/** A directory that is made beside its place. */
type Made = { readonly beside: string; readonly place: string; readonly directories: Set<string> }

/** Makes what is in an archive below `root` and in a directory for gallery files, as `Archives.restore` tells. */
export async function restoreArchive(
  root: string,
  path: string,
  { hasGeneration, files, ...carried }: RestoreOptions,
): Promise<Restored> {
  const { generation, ...inside } = await readArchive(path, { ...carried, onBytes: () => undefined })
  const made = hasGeneration ? undefined : make(join(root, generation), join(root, partialName(generation)))
  const gallery =
    files === undefined ? undefined : make(resolve(files), `${resolve(files)}.${process.pid}.partial`)
  if (made) refuseTaken(made.place)
  if (gallery && isTaken(gallery.place)) {
    if (made) throw explainTaken(gallery.place)
    return { files: await compareFiles(path, gallery.place, carried), isMade: false }
  }
  await removeStale(root)
  if (made) await checkSpace(root, countBytes(inside))
  let count = 0
  try {
    if (made) await begin(made)
    if (gallery) await begin(gallery)
    await readArchive(path, {
      ...carried,
      onManifest: async (bytes) => made && writeSynced(join(made.beside, MANIFEST_FILE), bytes),
      onFile: async (file) => {
        if (file.isGallery) count++
        const target = file.isGallery ? gallery : made
        if (!target) return await proveFile(path, file)
        await writeProven(path, file, target.beside)
        for (let at = dirname(file.path); at !== '.'; at = dirname(at)) target.directories.add(at)
      },
    })
    // The generation first: once it is there, the same command puts back the files alone.
    if (made) await finish(made)
    if (gallery) await finish(gallery)
    return { files: count, isMade: true }
  } catch (error) {
    throw explainDiskError(error)
  } finally {
    for (const each of [made, gallery]) if (each) await rm(each.beside, { recursive: true, force: true })
  }
}

/** Finds files in their directory as they are in the archive: run again, a restore changes nothing. Raises `usage`, `corrupt`. */
async function compareFiles(path: string, place: string, carried: Carried): Promise<number> {
  let count = 0
  await readArchive(path, {
    ...carried,
    onFile: async (file) => {
      await proveFile(path, file)
      if (!file.isGallery) return
      count++
      const found = await readFileEntry(place, file.path).catch((error: unknown) => {
        throw hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR') ? explainTaken(place) : error
      })
      if (found.sha256 !== file.sha256) throw explainTaken(place)
    },
  })
  return count
}

/** Raises `usage` where there is anything but an empty directory. */
export function refuseTaken(path: string): void {
  if (isTaken(path)) throw explainTaken(path)
}

function isTaken(path: string): boolean {
  return existsSync(path) && !(statSync(path).isDirectory() && readdirSync(path).length === 0)
}

export function explainTaken(path: string): LongshoreError {
  return new LongshoreError('usage', `${path}: exists already`, {
    hint: 'name another place; nothing is overwritten',
  })
}

function make(place: string, beside: string): Made {
  return { place, beside, directories: new Set() }
}

async function begin({ beside }: Made): Promise<void> {
  await mkdir(dirname(beside), { recursive: true })
  await mkdir(beside)
}

/** Gives a directory its name once all of it is on disk. */
async function finish({ beside, place, directories }: Made): Promise<void> {
  for (const directory of directories) await syncDirectory(join(beside, directory))
  await syncDirectory(beside)
  try {
    await rename(beside, place)
  } catch (error) {
    throw hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR') ? explainTaken(place) : error
  }
  await syncDirectory(dirname(place))
}
