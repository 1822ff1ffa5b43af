import { link, mkdir, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { countBytes, type Manifest } from '../../domain/manifest.ts'
import type { Archives } from '../../ports/archives.ts'
import { hasCode, syncDirectory, syncFile } from '../files/durable-files.ts'
import { explainDiskError } from '../generations/disk-error.ts'
import { checkLayout, readFileEntry } from '../generations/layout.ts'
import { checkSpace } from '../generations/partial.ts'
import { listGalleryFiles } from './gallery-files.ts'
import { packArchive } from './pack-archive.ts'
import { proveFile } from './prove-file.ts'
import { readArchive } from './read-archive.ts'
import { explainTaken, refuseTaken, restoreArchive } from './restore-archive.ts'

/** Archives of the generations below `root`, as plain tar files: what is in them does not get smaller by compression. */
export function createArchives(root: string): Archives {
  return {
    async write(manifest, path, { gallery, ...carried }) {
      refuseTaken(path)
      const directory = join(root, manifest.generation)
      await checkLayout(directory, manifest)
      const files = gallery && (await listGalleryFiles(gallery, carried.signal))
      const target = dirname(resolve(path))
      await mkdir(target, { recursive: true })
      await checkSpace(target, countBytes(manifest) + sum(files ?? []))
      const beside = `${path}.${process.pid}.partial`
      try {
        await packArchive(beside, {
          manifest,
          directory,
          gallery: gallery && { root: gallery.root, files: files ?? [] },
        })
        await syncFile(beside)
        await readArchive(beside, { ...carried, onFile: (file) => proveFile(beside, file) })
        await claim(beside, path)
        return await readFileEntry(dirname(path), basename(path))
      } catch (error) {
        throw explainDiskError(error)
      } finally {
        await rm(beside, { force: true })
      }
    },
    readManifest: readManifestOf,
    restore: (path, options) => restoreArchive(root, path, options),
  }
}

async function readManifestOf(path: string): Promise<Manifest> {
  return await readArchive(path, { signal: new AbortController().signal, onBytes: () => undefined })
}

function sum(files: readonly { readonly bytes: number }[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0)
}

/** Gives a file its name unless something has it. */
async function claim(beside: string, path: string): Promise<void> {
  await link(beside, path).catch((error: unknown) => {
    throw hasCode(error, 'EEXIST') ? explainTaken(path) : error
  })
  await syncDirectory(dirname(resolve(path)))
}
