import type { FileEntry, Manifest } from '../domain/manifest.ts'

/** Hears how many bytes were carried. */
export type Carried = { readonly signal: AbortSignal; readonly onBytes: (bytes: number) => void }

/** Generations as single files, to keep elsewhere and to come back from. */
export interface Archives {
  /**
   * Writes a generation, manifest first, and reads it back from disk; only then it stands under its name. Raises `usage`
   * where something has that name already, `corrupt` where the generation differs from its manifest, `remote` for a full disk.
   */
  write(manifest: Manifest, path: string, carried: Carried): Promise<FileEntry>
  /** The manifest in an archive. Raises `not-found`, `corrupt` for anything that is no archive of a generation. */
  readManifest(path: string): Promise<Manifest>
  /**
   * Makes the generation of an archive, every file held against the manifest before anything has the generation's name.
   * Raises `corrupt`, and `usage` where there is a generation of that name.
   */
  restore(path: string, carried: Carried): Promise<Manifest>
}
