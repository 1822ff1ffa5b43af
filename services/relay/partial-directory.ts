import { lstat, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../../lib/adapters/files/durable-files.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { isGenerationName } from '../../lib/domain/generation.ts'
import type { PieceFile } from '../../lib/domain/pieces.ts'
import { isSafePath } from '../../lib/domain/safe-path.ts'

const PATCH = /^\.patch-[A-Za-z0-9]+$/
const OWN = /\.pieces(\.log)?$/
const MOST_PIECE_BYTES = 16 * 2 ** 20

/** What a relay is told to bring. */
export type Task = {
  readonly generation: string
  readonly files: readonly PieceFile[]
  /** Positions of those that are brought here; all where left out. */
  readonly wanted?: readonly number[]
  readonly pieceBytes: number
}

/** The directory beside the final one in which a generation is put together. Raises `usage` for any other name. */
export function locatePartial(dataDirectory: string, generation: string): string {
  if (isGenerationName(generation)) return join(dataDirectory, `.${generation}.partial`)
  throw refuse(`${JSON.stringify(generation)} is no generation name: expected dg_N`)
}

/** Makes that directory. Raises `usage` for an order that would lead out of it, `corrupt` for a link in the way. */
export async function preparePartial(
  dataDirectory: string,
  { generation, files, pieceBytes }: Task,
): Promise<void> {
  const partial = locatePartial(dataDirectory, generation)
  if (!Number.isSafeInteger(pieceBytes) || pieceBytes < 1 || pieceBytes > MOST_PIECE_BYTES) {
    throw refuse(`pieces of ${pieceBytes} bytes: expected 1 to ${MOST_PIECE_BYTES}`)
  }
  const paths = new Set<string>()
  for (const file of files) {
    checkFile(file)
    if (paths.has(file.path)) throw refuse(`${file.path} stands twice`)
    paths.add(file.path)
  }
  await refuseLink(join(dataDirectory, generation))
  await refuseLink(partial)
  await mkdir(partial, { recursive: true })
}

/** Deletes everything that has been put together, to make room again. */
export async function discardPartial(dataDirectory: string, generation: string): Promise<void> {
  // Retried, because a write that is under way may still make a file.
  await rm(locatePartial(dataDirectory, generation), { recursive: true, force: true, maxRetries: 5 })
}

/** Whether this is the name of a file that tells how to put a generation together from another one. */
export function isPatchName(name: string): boolean {
  return PATCH.test(name)
}

function checkFile({ path, bytes, sha256 }: PieceFile): void {
  if (typeof path !== 'string' || !(isSafePath(path) || isPatchName(path)) || OWN.test(path)) {
    throw refuse(`${JSON.stringify(path)} is no path of a generation`)
  }
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw refuse(`${path}: ${bytes} is no number of bytes`)
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw refuse(`${path}: ${JSON.stringify(sha256)} is no SHA-256`)
}

async function refuseLink(path: string): Promise<void> {
  try {
    if (!(await lstat(path)).isSymbolicLink()) return
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return
    throw error
  }
  throw new LongshoreError('corrupt', `${path} is a symbolic link`, {
    hint: 'see where it leads and remove it; generations are plain directories',
  })
}

function refuse(problem: string): LongshoreError {
  return new LongshoreError('usage', problem)
}
