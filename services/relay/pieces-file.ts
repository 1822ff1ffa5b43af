import { createHash, hash } from 'node:crypto'
import { closeSync, constants, openSync, write, writeSync } from 'node:fs'
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { hasCode } from '../../lib/adapters/files/durable-files.ts'
import { countPieces, locatePiece } from '../../lib/domain/pieces.ts'
import { PieceSums } from './piece-sums.ts'

/** Where a file is put together, and how long it and its pieces are. */
export type PiecesFile = {
  /** Of the file to be. */
  readonly path: string
  readonly bytes: number
  readonly pieceBytes: number
}

/** What is on the disk of a file: the SHA-256 of its pieces by their index, and its own where none is missing. */
export type HeldPieces = { readonly sums: PieceSums; readonly sha256: string | undefined }

const { O_RDONLY, O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
const MODE = 0o644

const writeAt = promisify(write)

/** Where the pieces of a file lie until it is whole, each at its place in it. */
export function locatePieces(path: string): string {
  return `${path}.pieces`
}

/** The list of the pieces that have been written; its first line tells their size. */
export function locateLog(path: string): string {
  return `${path}.pieces.log`
}

/** Reads back what an earlier run has left; what fits no more is deleted. Raises `ELOOP` for a symbolic link. */
export async function readBackPieces(file: PiecesFile, signal: AbortSignal): Promise<HeldPieces> {
  const sums = new PieceSums(countPieces(file.bytes, file.pieceBytes))
  const noted = await readLog(file)
  const handle = noted && (await openIfPresent(locatePieces(file.path), O_RDONLY))
  try {
    if (noted && handle && (await handle.stat()).size === file.bytes) {
      return { sums, sha256: await hashPieces(handle, file, { noted, sums, signal }) }
    }
  } finally {
    await handle?.close()
  }
  await deletePieces(file.path)
  return { sums, sha256: undefined }
}

/** Makes an empty place for the pieces of a file. */
export async function startPieces({ path, bytes, pieceBytes }: PiecesFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await deletePieces(path)
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
  await using pieces = await open(locatePieces(path), flags, MODE)
  await pieces.truncate(bytes)
  await using log = await open(locateLog(path), flags, MODE)
  await log.writeFile(firstLine(bytes, pieceBytes))
}

/**
 * Writes a piece, then notes it: a piece that is noted has been written, unless the machine lost power. All but the writing
 * of the piece is done at once: to have a thread do it takes ten times as long.
 */
export async function writePiece(file: PiecesFile, index: number, data: Uint8Array): Promise<void> {
  const { path, bytes, pieceBytes } = file
  const { offset } = locatePiece(bytes, pieceBytes, index)
  const pieces = openSync(locatePieces(path), O_WRONLY | O_NOFOLLOW)
  try {
    for (let done = 0; done < data.length; ) {
      done += (await writeAt(pieces, data, done, data.length - done, offset + done)).bytesWritten
    }
  } finally {
    closeSync(pieces)
  }
  const log = openSync(locateLog(path), O_WRONLY | O_APPEND | O_NOFOLLOW)
  try {
    // A line begins with its break: what an interrupted run wrote of the last one cannot run into this one.
    writeSync(log, `\n${index}`)
  } finally {
    closeSync(log)
  }
}

export async function deletePieces(path: string): Promise<void> {
  await rm(locateLog(path), { force: true })
  await rm(locatePieces(path), { force: true })
}

/** The indices that are noted, in order; undefined when there is no log for pieces of this size. */
async function readLog(file: PiecesFile): Promise<number[] | undefined> {
  const handle = await openIfPresent(locateLog(file.path), O_RDONLY)
  if (!handle) return undefined
  const text = await handle.readFile('utf8').finally(() => handle.close())
  const [first, ...lines] = text.split('\n')
  if (first !== firstLine(file.bytes, file.pieceBytes)) return undefined
  const count = countPieces(file.bytes, file.pieceBytes)
  const indices = lines.map(Number).filter((index) => Number.isInteger(index) && index >= 0 && index < count)
  return [...new Set(indices)].sort((a, b) => a - b)
}

function firstLine(bytes: number, pieceBytes: number): string {
  return `longshore-pieces/1 ${bytes} bytes, ${pieceBytes} a piece`
}

/** Hashes what is noted, and the whole file where no piece is missing. */
async function hashPieces(
  handle: FileHandle,
  { bytes, pieceBytes }: PiecesFile,
  { noted, sums, signal }: { noted: readonly number[]; sums: PieceSums; signal: AbortSignal },
): Promise<string | undefined> {
  const whole = noted.length === countPieces(bytes, pieceBytes) ? createHash('sha256') : undefined
  const buffer = Buffer.allocUnsafeSlow(pieceBytes)
  for (const index of noted) {
    signal.throwIfAborted()
    const piece = locatePiece(bytes, pieceBytes, index)
    const { bytesRead } = await handle.read(buffer, 0, piece.bytes, piece.offset)
    const data = buffer.subarray(0, bytesRead)
    sums.set(index, hash('sha256', data))
    whole?.update(data)
  }
  return whole?.digest('hex')
}

async function openIfPresent(path: string, flags: number): Promise<FileHandle | undefined> {
  try {
    return await open(path, flags | O_NOFOLLOW)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}
