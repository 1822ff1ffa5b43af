import type { FileEntry } from '../domain/manifest.ts'

/** A directory of model files: of this machine, or of a node. */
export type RepositoryPlace = { readonly node?: string; readonly directory: string }

/** What stands at a place: nothing, exactly these files, or others. */
export type RepositoryState = 'absent' | 'whole' | 'other'

export type CopyOptions = {
  readonly signal: AbortSignal
  /** Called with the number of bytes that have newly arrived. */
  readonly onBytes: (bytes: number) => void
}

/** Carries the files of models, whatever they are. */
export interface Repositories {
  /** The files of a directory of this machine, each with its SHA-256. Raises `not-found`, `corrupt` for what is no plain file. */
  list(directory: string, signal: AbortSignal): Promise<readonly FileEntry[]>
  inspect(place: RepositoryPlace, files: readonly FileEntry[], signal: AbortSignal): Promise<RepositoryState>
  /**
   * Puts files of a directory of this machine at a place: beside its name, read back there, then renamed. Continues what an
   * interrupted copy left. Resolves to the bytes sent. Raises `remote`, `corrupt` for what arrives otherwise.
   */
  copy(
    from: string,
    place: RepositoryPlace,
    files: readonly FileEntry[],
    options: CopyOptions,
  ): Promise<number>
}
