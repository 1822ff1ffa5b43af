import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import type { DraftPackage, FateDraft, PackageNames, PublishedPackage } from '../../ports/fate-packages.ts'
import { syncDirectory } from '../files/durable-files.ts'
import { isFullDisk } from '../generations/disk-error.ts'
import { partialName, removeStale } from '../generations/partial.ts'
import { readFreeBytes, resolveInside } from '../local/node-directory.ts'
import { bringBack, type Move, moveAll } from './move-all.ts'
import { digestFile, writeArchive } from './write-archive.ts'

type Staged = {
  readonly names: PackageNames
  readonly directory: string
  readonly files: string[]
  readonly directories: string[]
}
type Digests = { readonly sha256: string; readonly bytes: number }

/** In a draft: what the new packages take the place of. */
const REPLACED = 'replaced'

/** New packages below `root`, made in a directory of this process beside their places. Raises `remote` for a full disk. */
export async function createDraft(root: string, bytes: number): Promise<FateDraft> {
  await mkdir(root, { recursive: true })
  await removeStale(root, (left) => bringBack(join(left, REPLACED)))
  const free = await readFreeBytes(root)
  if (free < bytes) throw fullDisk(root, `${free} bytes are free, about ${bytes} are needed`)
  const staging = join(root, partialName('fate'))
  await mkdir(staging)
  const staged: Staged[] = []
  return {
    async add(names) {
      const directory = join(staging, String(staged.length))
      const begun: Staged = { names, directory, files: [], directories: [] }
      staged.push(begun)
      await mkdir(directory)
      return createPackage(begun, root)
    },
    publish: (options) => orFullDisk(root, () => publish(staged, { root, staging, ...options })),
    discard: () => rm(staging, { recursive: true, force: true }),
  }
}

function createPackage({ directory, files, directories }: Staged, root: string): DraftPackage {
  return {
    async makeDirectory(path) {
      directories.push(`${path}/`)
      await orFullDisk(root, () => mkdir(resolveInside(directory, path), { recursive: true }))
    },
    async write(path, contents) {
      files.push(path)
      await orFullDisk(root, async () => {
        const place = resolveInside(directory, path)
        await mkdir(dirname(place), { recursive: true })
        await writeWhole(place, contents)
      })
    },
  }
}

type Publishing = { readonly root: string; readonly staging: string; readonly replace: boolean }

async function publish(
  staged: readonly Staged[],
  { root, staging, replace }: Publishing,
): Promise<readonly PublishedPackage[]> {
  const moves: Move[] = []
  const published: PublishedPackage[] = []
  for (const part of staged) {
    const { names, directory } = part
    const packed = names.archive === undefined ? undefined : await pack(part, { root, moves })
    if (names.directory !== undefined) {
      await syncTree(directory)
      moves.unshift({ from: directory, to: join(root, names.directory) })
    }
    published.push({ names, sha256: packed?.sha256, bytes: packed?.bytes ?? 0 })
  }
  await moveAll(moves, replace ? join(staging, REPLACED) : undefined)
  await rm(staging, { recursive: true, force: true })
  await syncDirectory(root)
  return published
}

/** Makes the archive of a package with its digests beside it, to be moved before it. */
async function pack(
  { names, directory, files, directories }: Staged,
  { root, moves }: { root: string; moves: Move[] },
): Promise<Digests> {
  const from = `${directory}.zip`
  const to = join(root, names.archive!)
  await writeArchive(from, { root: directory, files, directories })
  const { sha256, sha1, bytes } = await digestFile(from)
  const sums = [
    { ending: '.sha256', text: `${sha256}  ${names.archive}\n` },
    // FATE-Flow compares the whole file.
    ...(names.hasSha1 ? [{ ending: '.sha1', text: sha1 }] : []),
  ]
  for (const { ending, text } of sums) {
    await writeWhole(from + ending, text)
    moves.push({ from: from + ending, to: to + ending })
  }
  moves.push({ from, to })
  return { sha256, bytes }
}

/** Others than who migrates read packages. */
async function writeWhole(
  path: string,
  contents: string | Uint8Array | AsyncIterable<Uint8Array>,
): Promise<void> {
  await using file = await open(path, 'wx', 0o644)
  await file.writeFile(contents)
  await file.sync()
}

async function syncTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  for (const entry of entries)
    if (entry.isDirectory()) await syncDirectory(join(entry.parentPath, entry.name))
  await syncDirectory(directory)
}

async function orFullDisk<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw isFullDisk(error) ? fullDisk(root, 'nothing was left under a final name', error) : error
  }
}

function fullDisk(root: string, what: string, cause?: unknown): LongshoreError {
  return new LongshoreError('remote', `no space left on the disk of ${root}: ${what}`, {
    hint: 'free some space, or write elsewhere with --to DIRECTORY',
    cause,
  })
}
