import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import type { FileEntry } from '../../domain/manifest.ts'
import { hasCode } from '../files/durable-files.ts'

const BLOCK_BYTES = 1024 * 1024

export type CopyOptions = { readonly signal: AbortSignal; readonly onBytes: (bytes: number) => void }

/**
 * Copies the file `path` of a generation in `directory`, on disk when this resolves. Raises `corrupt` when it is
 * missing or anything at either end is a symbolic link.
 */
export async function copyFile(
  directory: string,
  path: string,
  to: string,
  { signal, onBytes }: CopyOptions,
): Promise<void> {
  const source = await openSource(directory, path)
  try {
    await mkdir(dirname(to), { recursive: true })
    const target = await openPlainFile(to, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC)
    try {
      for await (const block of readBlocks(source, signal)) {
        await target.writeFile(block)
        onBytes(block.length)
      }
      await target.sync()
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

async function openSource(directory: string, path: string): Promise<FileHandle> {
  const from = join(directory, path)
  // The generation's own directory may be a link of the operator's, nothing inside it may.
  const isInside = dirname(path) === '.' || (await isPlainDirectory(dirname(from)))
  try {
    if (isInside) return await openPlainFile(from, constants.O_RDONLY)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
  throw new LongshoreError('corrupt', `${from} is missing`, { hint: 'split the input again' })
}

/**
 * What is wrong with the file at `path`, read from its disk and held against its entry in the manifest; undefined when
 * nothing is.
 */
export async function findFileProblem(
  path: string,
  entry: FileEntry,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!(await isPlainDirectory(dirname(path)))) return `${entry.path} is missing`
  const file = await openPlainFile(path, constants.O_RDONLY).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  })
  if (!file) return `${entry.path} is missing`
  try {
    const { size } = await file.stat()
    if (size !== entry.bytes) return `${entry.path} has ${size} bytes, the manifest says ${entry.bytes}`
    const hash = createHash('sha256')
    for await (const block of readBlocks(file, signal)) hash.update(block)
    const sha256 = hash.digest('hex')
    if (sha256 !== entry.sha256)
      return `${entry.path} has sha-256 ${sha256}, the manifest says ${entry.sha256}`
    return undefined
  } finally {
    await file.close()
  }
}

async function isPlainDirectory(directory: string): Promise<boolean> {
  try {
    const found = await lstat(directory)
    if (found.isSymbolicLink()) throw refuseLink(directory)
    return found.isDirectory()
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}

async function openPlainFile(path: string, flags: number): Promise<FileHandle> {
  try {
    const file = await open(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o644)
    if ((await file.stat()).isFile()) return file
    await file.close()
  } catch (error) {
    if (hasCode(error, 'ELOOP')) throw refuseLink(path)
    throw error
  }
  throw new LongshoreError('corrupt', `${path} is no plain file`)
}

function refuseLink(path: string): LongshoreError {
  return new LongshoreError('corrupt', `${path} is a symbolic link; a generation consists of plain files`)
}

/** The blocks of a file in order. Each is valid until the next one is asked for. */
async function* readBlocks(file: FileHandle, signal: AbortSignal): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(BLOCK_BYTES)
  for (;;) {
    signal.throwIfAborted()
    const { bytesRead } = await file.read(buffer, 0, buffer.length, null)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}
