import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { create } from 'tar'
import { LongshoreError } from '../../domain/errors.ts'
import { countBytes, MANIFEST_FILE, type Manifest } from '../../domain/manifest.ts'
import type { Archives, Carried } from '../../ports/archives.ts'
import { hasCode, syncDirectory, syncFile, writeSynced } from '../files/durable-files.ts'
import { explainDiskError } from '../generations/disk-error.ts'
import { checkLayout, readFileEntry } from '../generations/layout.ts'
import { checkSpace, partialName, removeStale } from '../generations/partial.ts'
import { type ArchivedFile, readArchive } from './read-archive.ts'

/** Archives of the generations below `root`, as plain tar files: what is in them does not get smaller by compression. */
export function createArchives(root: string): Archives {
  return {
    async write(manifest, path, carried) {
      refuseTaken(path)
      const directory = join(root, manifest.generation)
      await checkLayout(directory, manifest)
      await mkdir(dirname(resolve(path)), { recursive: true })
      await checkSpace(dirname(resolve(path)), countBytes(manifest))
      const beside = `${path}.${process.pid}.partial`
      try {
        const files = [MANIFEST_FILE, ...manifest.files.map((file) => file.path)]
        await create(
          { file: beside, cwd: directory, portable: true, noDirRecurse: true, strict: true },
          files,
        )
        await syncFile(beside)
        await readArchive(beside, { ...carried, onFile: (file) => prove(beside, file) })
        await claim(beside, path)
        return await readFileEntry(dirname(path), basename(path))
      } catch (error) {
        throw explainDiskError(error)
      } finally {
        await rm(beside, { force: true })
      }
    },
    async readManifest(path) {
      return await readArchive(path, { signal: new AbortController().signal, onBytes: () => undefined })
    },
    restore: (path, carried) => restore(root, path, carried),
  }
}

async function restore(root: string, path: string, carried: Carried): Promise<Manifest> {
  const { generation, ...inside } = await createArchives(root).readManifest(path)
  const place = join(root, generation)
  refuseTaken(place)
  await removeStale(root)
  await checkSpace(root, countBytes(inside))
  const beside = join(root, partialName(generation))
  try {
    await mkdir(beside)
    const manifest = await readArchive(path, {
      ...carried,
      onManifest: (bytes) => writeSynced(join(beside, MANIFEST_FILE), bytes),
      onFile: (file) => writeProven(path, file, beside),
    })
    for (const directory of new Set(manifest.files.map((file) => dirname(file.path)))) {
      await syncDirectory(join(beside, directory))
    }
    await syncDirectory(beside)
    await rename(beside, place)
    await syncDirectory(root)
    return manifest
  } catch (error) {
    if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) refuseTaken(place)
    throw explainDiskError(error)
  } finally {
    await rm(beside, { recursive: true, force: true })
  }
}

/** Writes a file of an archive below a directory; its name and length were held against the manifest before. */
async function writeProven(archive: string, file: ArchivedFile, directory: string): Promise<void> {
  const path = join(directory, file.path)
  await mkdir(dirname(path), { recursive: true })
  await using handle = await open(path, 'wx')
  await prove(archive, file, async (block) => {
    for (let done = 0; done < block.length; ) done += (await handle.write(block, done)).bytesWritten
  })
  await handle.sync()
}

/** Raises `corrupt` unless the contents of a file are those of the manifest. */
async function prove(
  archive: string,
  file: ArchivedFile,
  onBlock: (block: Uint8Array) => Promise<void> = async () => undefined,
) {
  const hash = createHash('sha256')
  for await (const block of file.contents) {
    hash.update(block)
    await onBlock(block)
  }
  const found = hash.digest('hex')
  if (found === file.sha256) return
  throw new LongshoreError(
    'corrupt',
    `${archive}: ${file.path}: SHA-256 is ${found}, its manifest says ${file.sha256}`,
    {
      hint: 'take another copy of this archive',
    },
  )
}

function refuseTaken(path: string): void {
  if (!existsSync(path)) return
  throw new LongshoreError('usage', `${path}: exists already`, {
    hint: 'name another place; nothing is overwritten',
  })
}

/** Gives a file its name unless something has it. */
async function claim(beside: string, path: string): Promise<void> {
  try {
    await link(beside, path)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) refuseTaken(path)
    throw error
  }
  await syncDirectory(dirname(resolve(path)))
}
