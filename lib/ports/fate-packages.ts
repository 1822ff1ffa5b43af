import type { DefineMeta } from '../domain/fate/package-layout.ts'

export type PackageFile = { readonly path: string; readonly bytes: number }

/** The files of one version of a model, from a directory or an archive. */
export interface FatePackage {
  /** Where it was found. */
  readonly source: string
  readonly files: readonly PackageFile[]
  /** Directories, also empty ones, above before below. */
  readonly directories: readonly string[]
  /** A whole file. Raises `corrupt` for one that is damaged or larger than any buffer. */
  read(path: string): Promise<Uint8Array>
  /** A file of any size, in pieces. Raises `corrupt` at its end where it is damaged. */
  stream(path: string): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

/** What a package is written as. */
export type PackageNames = {
  /** The version's directory below the root, where it shall be published as a directory. */
  readonly directory: string | undefined
  /** The archive's file name below the root, where it shall be published as one. */
  readonly archive: string | undefined
  /** Whether a SHA-1 is written beside the archive, as FATE-Flow 1.7 and 1.8 ask for. */
  readonly hasSha1: boolean
}

export type PublishedPackage = {
  readonly names: PackageNames
  readonly sha256: string | undefined
  readonly bytes: number
}

/** One package of a draft. */
export interface DraftPackage {
  makeDirectory(path: string): Promise<void>
  write(path: string, contents: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>
}

/** New packages below one root, none of which is there before all are. */
export interface FateDraft {
  add(names: PackageNames): Promise<DraftPackage>
  /** Gives every package its name; where one cannot have it, none does. `replace` puts away what has the name. */
  publish(options: { readonly replace: boolean }): Promise<readonly PublishedPackage[]>
  /** Removes what was not published. */
  discard(): Promise<void>
}

/** Packages of federated models on the disk of this machine. */
export interface FatePackages extends MetaFormat {
  /** The first of these paths that is there. Raises `not-found`, and `corrupt` for what is no whole package. */
  open(paths: readonly string[]): Promise<FatePackage>
  /** Whether anything has a name. */
  has(path: string): Promise<boolean>
  /** The hexadecimal SHA-256 of an archive, and the one that is written beside it, where there is one. Raises `not-found`. */
  digest(path: string): Promise<{ readonly sha256: string; readonly written: string | undefined }>
  /** Begins packages below a directory, with room for so many bytes. Raises `remote` for a disk without it. */
  createDraft(root: string, bytes: number): Promise<FateDraft>
}

/** How `define_meta.yaml` is read and changed. */
export interface MetaFormat {
  /** The parts that count; `place` is what errors call the text. Raises `corrupt`. */
  parseMeta(text: string, place: string): Promise<DefineMeta>
  /** The same text without the buffers of these components, by component and alias; all else stays as it is written. */
  emptyMeta(text: string, dropped: readonly (readonly [component: string, alias: string])[]): Promise<string>
}
