import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import type { GalleryStore } from '../../ports/gallery-store.ts'

export const GALLERY_FILE = 'gallery.sqlite'

/** The gallery of a fleet in a directory of the operator's machine: `gallery.sqlite` and `files/`. */
export function createGalleryStore(directory: string): GalleryStore {
  const places = { path: join(directory, GALLERY_FILE), files: join(directory, 'files') }
  const exists = async () => existsSync(places.path)
  return {
    path: places.path,
    exists,
    async open() {
      const { SqliteGallery } = await import('./gallery.ts')
      return new SqliteGallery(places)
    },
    async read() {
      if (!(await exists())) {
        throw new LongshoreError('not-found', `${places.path}: there is no gallery yet`, {
          hint: 'ingest.mjs FILE begins one',
        })
      }
      const { GalleryInput } = await import('./input.ts')
      return new GalleryInput(places)
    },
  }
}
