import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, lstatSync, openSync, read } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { LongshoreError } from '../../domain/errors.ts'
import type { FileEntry } from '../../domain/manifest.ts'
import { hasCode } from '../files/durable-files.ts'

// One mebibyte at a time: a quarter of it takes nearly twice as long over SSH.
const BLOCK_BYTES = 1024 * 1024

const readAt = promisify(read)

/**
 * The bytes of a file of the generation in `directory`, from `offset` on. A block is valid until the next one is
 * asked for. Raises `corrupt` for a file that is missing, has another size than its entry says, or is a link.
 */
export async function* readSource(
  directory: string,
  entry: FileEntry,
  offset: number,
): AsyncGenerator<Uint8Array> {
  const file = openSource(directory, entry)
  try {
    yield* readBlocks(file, offset, entry.bytes)
  } finally {
    closeSync(file)
  }
}

/** So many bytes of a file of the generation in `directory`, from `offset` on. Raises as {@link readSource} does. */
export async function readRange(
  directory: string,
  entry: Pick<FileEntry, 'path' | 'bytes'>,
  { offset, bytes }: { readonly offset: number; readonly bytes: number },
): Promise<Buffer> {
  const file = openSource(directory, entry)
  try {
    const buffer = Buffer.allocUnsafeSlow(bytes)
    for (let filled = 0; filled < bytes; ) {
      const { bytesRead } = await readAt(file, buffer, filled, bytes - filled, offset + filled)
      if (bytesRead === 0) throw refuse(`${join(directory, entry.path)} became shorter while it was read`)
      filled += bytesRead
    }
    return buffer
  } finally {
    closeSync(file)
  }
}

/** SHA-256 of the first `bytes` of a file of a generation, in hexadecimal digits. Raises as {@link readSource} does. */
export async function hashStart(directory: string, entry: FileEntry, bytes: number): Promise<string> {
  const file = openSource(directory, entry)
  try {
    const hash = createHash('sha256')
    for await (const block of readBlocks(file, 0, bytes)) hash.update(block)
    return hash.digest('hex')
  } finally {
    closeSync(file)
  }
}

/** At once: pieces are read by the thousand, and each of these calls takes ten times as long in a thread. */
function openSource(directory: string, { path, bytes }: Pick<FileEntry, 'path' | 'bytes'>): number {
  const from = join(directory, path)
  try {
    // The generation's own directory may be a link of the operator's, nothing inside it may.
    const inside = dirname(path) === '.' ? undefined : lstatSync(dirname(from))
    if (inside?.isSymbolicLink()) throw refuse(`${dirname(from)} is a symbolic link`)
    const file = openSync(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const found = fstatSync(file)
    if (found.isFile() && found.size === bytes) return file
    closeSync(file)
    throw refuse(
      found.isFile()
        ? `${from} has ${found.size} bytes, the manifest says ${bytes}`
        : `${from} is no plain file`,
    )
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) throw refuse(`${from} is missing`)
    if (hasCode(error, 'ELOOP')) throw refuse(`${from} is a symbolic link`)
    throw error
  }
}

function refuse(problem: string): LongshoreError {
  return new LongshoreError('corrupt', problem, { hint: 'split the input again' })
}

/** Reads the next block while the last one is being worked on. */
async function* readBlocks(file: number, start: number, end: number): AsyncGenerator<Uint8Array> {
  const buffers = [Buffer.allocUnsafe(BLOCK_BYTES), Buffer.allocUnsafe(BLOCK_BYTES)] as const
  const readTurn = (offset: number, turn: number) =>
    readAt(file, buffers[turn % 2 === 0 ? 0 : 1], 0, Math.max(0, Math.min(BLOCK_BYTES, end - offset)), offset)
  let next = readTurn(start, 0)
  try {
    for (let offset = start, turn = 0; offset < end; turn++) {
      const { bytesRead, buffer } = await next
      if (bytesRead === 0) return
      offset += bytesRead
      next = readTurn(offset, turn + 1)
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    // The file is closed next; the read ahead must not be under way then.
    await Promise.allSettled([next])
  }
}
