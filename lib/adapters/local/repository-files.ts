import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, mkdir, readdir, rm } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import type { FileEntry } from '../../domain/manifest.ts'
import type { CopyOptions, RepositoryState } from '../../ports/repositories.ts'
import { hasCode, syncDirectory } from '../files/durable-files.ts'
import { copyFile, findFileProblem } from './file-copy.ts'
import { publishDirectory } from './node-directory.ts'

/** The files below a directory, sorted, each with its SHA-256. Raises `not-found`, `corrupt` for what is no plain file. */
export async function listFiles(directory: string, signal: AbortSignal): Promise<FileEntry[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error
    throw new LongshoreError('not-found', `${directory}: there is no such directory`, {
      hint: 'source.directory of the move names the repository as this machine sees it',
      cause: error,
    })
  })
  const entries: FileEntry[] = []
  for (const entry of found.filter((one) => !one.isDirectory())) {
    signal.throwIfAborted()
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile() || /[\n\r]/.test(entry.name)) {
      throw new LongshoreError('corrupt', `${path} is no plain file; a repository consists of plain files`)
    }
    const { bytes, sha256 } = await hashFile(path, signal)
    entries.push({ path: relative(directory, path), bytes, sha256 })
  }
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function hashFile(path: string, signal: AbortSignal): Promise<Pick<FileEntry, 'bytes' | 'sha256'>> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const block of createReadStream(path, { signal, highWaterMark: 1 << 20 })) {
    hash.update(block as Buffer)
    bytes += (block as Buffer).length
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** Whether a directory holds exactly these files; one that is empty is as none. */
export async function inspectFiles(
  directory: string,
  files: readonly FileEntry[],
  signal: AbortSignal,
): Promise<RepositoryState> {
  const found = await lstat(directory).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  })
  if (!found) return 'absent'
  if (!found.isDirectory()) return 'other'
  const names = await listNames(directory)
  if (names.length === 0) return 'absent'
  if (names.join('\n') !== files.map(({ path }) => path).join('\n')) return 'other'
  for (const entry of files) {
    if (await findFileProblem(join(directory, entry.path), entry, signal)) return 'other'
  }
  return 'whole'
}

/** Copies files into a directory as `Repositories.copy` says. Files that came over whole before are kept. */
export async function copyFiles(
  from: string,
  to: string,
  files: readonly FileEntry[],
  { signal, onBytes }: CopyOptions,
): Promise<number> {
  const final = resolve(to)
  const partial = join(dirname(final), `.${basename(final)}.partial`)
  await mkdir(partial, { recursive: true })
  let sent = 0
  for (const entry of files) {
    const target = join(partial, entry.path)
    if ((await findFileProblem(target, entry, signal)) === undefined) continue
    await copyFile(from, entry.path, target, { signal, onBytes })
    const problem = await findFileProblem(target, entry, signal)
    if (problem) {
      await rm(target, { force: true })
      throw new LongshoreError('corrupt', `${final}: arrived damaged: ${problem}`, {
        hint: `${from} was changed meanwhile, or a disk fails: run the same command again`,
      })
    }
    sent += entry.bytes
  }
  const expected = new Set(files.map(({ path }) => path))
  for (const name of await listNames(partial)) {
    if (!expected.has(name)) await rm(join(partial, name))
  }
  for (const directory of new Set(files.map(({ path }) => dirname(path)))) {
    await syncDirectory(join(partial, directory))
  }
  await publishDirectory(partial, final)
  return sent
}

async function listNames(directory: string): Promise<string[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true })
  return found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort((a, b) => (a < b ? -1 : 1))
}
