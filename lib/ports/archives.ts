import type { FileEntry, Manifest } from '../domain/manifest.ts'

/** Hears how many more bytes were carried, of how many in all. */
export type Carried = {
  readonly signal: AbortSignal
  readonly onBytes: (bytes: number, total: number) => void
}

/** A file that an item stands for, and what is known of it since the generation was made. */
export type GalleryFile = { readonly path: string; readonly bytes?: number; readonly modifiedMs?: number }

/** Files that items stand for, by their paths below a directory. */
export type GalleryFiles = { readonly root: string; readonly files: readonly GalleryFile[] }

export type RestoreOptions = Carried & {
  /** Whether the generation is there already, so that only files are put back. */
  readonly hasGeneration: boolean
  /** The directory to make of the files that items stand for; without one they are only compared. */
  readonly files?: string | undefined
}

/** How many files that items stand for an archive holds, and whether anything was made that was not there before. */
export type Restored = { readonly files: number; readonly isMade: boolean }

/** Generations as single files, to keep elsewhere and to come back from. */
export interface Archives {
  /**
   * Writes a generation, manifest first, with files that its items stand for, and reads all back from disk; only then it
   * stands under its name. Raises `usage` where something has that name already and for a file that is a link or outside of
   * its root, `not-found` for one that is missing, `corrupt` where the generation differs from its manifest or a file from
   * what is known of it, `remote` for a full disk.
   */
  write(
    manifest: Manifest,
    path: string,
    options: Carried & { readonly gallery?: GalleryFiles | undefined },
  ): Promise<FileEntry>
  /** The manifest in an archive. Raises `not-found`, `corrupt` for anything that is no archive of a generation. */
  readManifest(path: string): Promise<Manifest>
  /**
   * Makes the generation of an archive, and the directory of its files, everything held against the lists in the archive
   * before anything has its name. Where generation and files are there already, they are only compared. Raises `corrupt`, and
   * `usage` where there is a generation of that name, or anything else in that directory.
   */
  restore(path: string, options: RestoreOptions): Promise<Restored>
}
