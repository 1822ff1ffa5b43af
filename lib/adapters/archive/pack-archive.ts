import { mkdtemp, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { create, replace } from 'tar'
import { GALLERY_DIRECTORY, GALLERY_FILE, renderGalleryList } from '../../domain/gallery-list.ts'
import { type FileEntry, MANIFEST_FILE, type Manifest } from '../../domain/manifest.ts'
import { writeSynced } from '../files/durable-files.ts'

export type Packed = {
  readonly manifest: Manifest
  /** That of the generation. */
  readonly directory: string
  readonly gallery?: { readonly root: string; readonly files: readonly FileEntry[] } | undefined
}

const PLAIN = { portable: true, noDirRecurse: true, strict: true } as const

/** Writes a tar file: the manifest, the list of gallery files where there are any, what the one lists, and what the other. */
export async function packArchive(file: string, { manifest, directory, gallery }: Packed): Promise<void> {
  const paths = manifest.files.map(({ path }) => path)
  const ofGeneration = { ...PLAIN, file, cwd: directory }
  if (!gallery) return await create(ofGeneration, [MANIFEST_FILE, ...paths])
  await create(ofGeneration, [MANIFEST_FILE])
  await addList(file, renderGalleryList(manifest.digest, gallery.files))
  await replace(ofGeneration, paths)
  if (gallery.files.length === 0) return
  await replace(
    { ...PLAIN, file, cwd: gallery.root, prefix: GALLERY_DIRECTORY, linkCache: new NoLinks() },
    gallery.files.map(({ path }) => path),
  )
}

/** Has a file that has several names be packed under each of them. */
class NoLinks extends Map<`${number}:${number}`, string> {
  override get(): undefined {
    return undefined
  }
}

async function addList(file: string, text: string): Promise<void> {
  const cwd = await mkdtemp(join(dirname(file), '.gallery-'))
  try {
    await writeSynced(join(cwd, GALLERY_FILE), text)
    await replace({ ...PLAIN, file, cwd }, [GALLERY_FILE])
  } finally {
    await rm(cwd, { recursive: true, force: true })
  }
}
