import { lstat, mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { type FileEntry, MANIFEST_FILE, type Manifest } from '../../domain/manifest.ts'
import { parseManifest } from '../../domain/parse-manifest.ts'
import { syncDirectory } from '../files/durable-files.ts'
import { readFileEntry } from '../generations/layout.ts'
import type { RebuiltFile as RebuiltReport } from '../relay/protocol.ts'
import { HeldBytes } from './held-bytes.ts'
import { Pace } from './pace.ts'
import { patchError } from './patch-format.ts'
import { openPatch, type PatchReader } from './patch-reader.ts'
import { Rebuild } from './rebuild.ts'

export type ApplyOptions = {
  /** A generation that is held; only read. */
  readonly baseDirectory: string
  /** Path of the patch. */
  readonly patch: string
  /** Where the files come to stand; what is whole there already stays. */
  readonly directory: string
  /** As `parseManifest` gave it: its paths stay inside `directory`. */
  readonly manifest: Manifest
  /** Those of its files that are wanted; all where left out. */
  readonly files?: readonly FileEntry[]
  readonly signal: AbortSignal
}

/**
 * Writes the files of a manifest from those of a base and a patch, each beside and under its own name only when it is
 * what the manifest says; the others come back with what is wrong with them. Holds a few megabytes whatever the size.
 * Raises `corrupt` for a patch or a base that is not the one meant, and what the system raises for writing.
 */
export async function applyPatch(options: ApplyOptions): Promise<RebuiltReport[]> {
  const { patch, baseDirectory, directory, manifest, files = manifest.files, signal } = options
  const reader = await openPatch(patch, signal)
  try {
    if (reader.header.generation !== manifest.digest) {
      throw patchError(patch, `makes ${reader.header.generation}, expected ${manifest.digest}`)
    }
    const base = await readBase(baseDirectory, reader)
    await makeDirectories(options)
    const whole = await findWhole(options)
    const held = new HeldBytes(baseDirectory, base.files)
    try {
      const pace = new Pace(signal)
      const reports = await new Rebuild({ reader, base, held, directory, manifest, whole, pace }).run()
      for (const name of listDirectories({ files })) await syncDirectory(join(directory, name))
      const wanted = new Set(files.map(({ path }) => path))
      return reports.filter(({ path }) => wanted.has(path))
    } finally {
      held.close()
    }
  } finally {
    reader.close()
  }
}

async function readBase(directory: string, { path, header }: PatchReader): Promise<Manifest> {
  const where = join(directory, MANIFEST_FILE)
  const text = await readFile(where, 'utf8').catch((error: Error) => {
    throw new LongshoreError('corrupt', `${where}: cannot be read (${error.message})`, { cause: error })
  })
  const manifest = parseManifest(text, where)
  if (manifest.digest === header.base) return manifest
  throw patchError(path, `starts from ${header.base}, but ${directory} is ${manifest.digest}`)
}

/** Makes the directories of shards. Raises `corrupt` where something else stands: a link would lead elsewhere. */
async function makeDirectories({ directory, manifest, files }: ApplyOptions): Promise<void> {
  for (const name of listDirectories({ files: files ?? manifest.files })) {
    const path = join(directory, name)
    await mkdir(path, { recursive: true })
    const stats = await lstat(path)
    if (!stats.isDirectory()) throw new LongshoreError('corrupt', `${path}: is no directory`)
  }
}

function listDirectories({ files }: { readonly files: readonly FileEntry[] }): Set<string> {
  return new Set(files.map(({ path }) => dirname(path)))
}

/** The files that need not be made: those that an earlier attempt brought, read back, and those that nobody wants. */
async function findWhole({ directory, manifest, files, signal }: ApplyOptions): Promise<Set<number>> {
  const whole = new Set<number>()
  const wanted = files && new Set(files.map(({ path }) => path))
  for (const [file, entry] of manifest.files.entries()) {
    signal.throwIfAborted()
    const isUnwanted = wanted !== undefined && !wanted.has(entry.path)
    if (isUnwanted || (await isWhole(directory, entry))) whole.add(file)
  }
  return whole
}

async function isWhole(directory: string, { path, bytes, sha256 }: FileEntry): Promise<boolean> {
  const stats = await lstat(join(directory, path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!stats?.isFile() || stats.size !== bytes) return false
  return (await readFileEntry(directory, path)).sha256 === sha256
}
