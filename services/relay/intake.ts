import { hash } from 'node:crypto'
import { join } from 'node:path'
import { readFreeBytes } from '../../lib/adapters/local/node-directory.ts'
import type { Report } from '../../lib/adapters/relay/protocol.ts'
import { countPieces } from '../../lib/domain/pieces.ts'
import { IncomingFile } from './incoming-file.ts'
import { locatePartial, preparePartial, type Task } from './partial-directory.ts'

/** What is here of a generation, as `ready` tells it. */
export type Holdings = Pick<Extract<Report, { told: 'ready' }>, 'pieces' | 'whole'>

/** A piece by the file that it is of: the position of that in the order, the file, and which of its pieces. */
export type IncomingPiece = {
  readonly file: number
  readonly incoming: IncomingFile
  readonly index: number
}

/** The files of a generation on their way to this node, by the numbers of their pieces. */
export class Intake {
  /** Undefined where a file is not brought to this node. */
  readonly #files: readonly (IncomingFile | undefined)[]
  /** Number of the first piece of each file, or what that would be if it had any; last, of the one after all. */
  readonly #starts: readonly number[]

  private constructor(files: readonly (IncomingFile | undefined)[], task: Task) {
    this.#files = files
    const starts = [0]
    for (const { bytes } of task.files) starts.push(starts.at(-1)! + countPieces(bytes, task.pieceBytes))
    this.#starts = starts
  }

  /**
   * Looks what an earlier run has left of a generation, and reads it back. Raises `usage`, `corrupt` as the directory's
   * own checks do, and `ENOSPC` when there is no room for the rest.
   */
  static async open(dataDirectory: string, task: Task, signal: AbortSignal): Promise<Intake> {
    await preparePartial(dataDirectory, task)
    const partial = locatePartial(dataDirectory, task.generation)
    const published = join(dataDirectory, task.generation)
    const { pieceBytes } = task
    const wanted = task.wanted && new Set(task.wanted)
    const files: (IncomingFile | undefined)[] = []
    for (const [position, entry] of task.files.entries()) {
      const isWanted = wanted === undefined || wanted.has(position)
      const options = { pieceBytes, published, signal }
      files.push(isWanted ? await IncomingFile.find(partial, entry, options) : undefined)
    }
    await checkRoom(
      partial,
      files.reduce((sum, file) => sum + (file?.missingBytes ?? 0), 0),
    )
    for (const file of files) if (file?.isComplete && file.pieceCount === 0) await file.finish()
    return new Intake(files, task)
  }

  get holdings(): Holdings {
    const whole = this.#files.flatMap((incoming, file) => (incoming?.isWhole ? [file] : []))
    const pieces = this.#files.flatMap((incoming, file) =>
      Array.from(incoming?.pieces ?? [], ([index, sha256]) => ({
        piece: this.#starts[file]! + index,
        sha256,
      })),
    )
    return { pieces, whole }
  }

  /** The piece of this number; undefined when there is none, or none here. */
  find(piece: number): IncomingPiece | undefined {
    if (!Number.isInteger(piece) || piece < 0 || piece >= this.#starts.at(-1)!) return undefined
    const file = this.#findFile(piece)
    const incoming = this.#files[file]
    return incoming && { file, incoming, index: piece - this.#starts[file]! }
  }

  /** The last file that starts at or before a piece: those without any start where the next one does. */
  #findFile(piece: number): number {
    let low = 0
    let high = this.#files.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (this.#starts[middle]! <= piece) low = middle
      else high = middle - 1
    }
    return low
  }
}

/** What is wrong with a piece as it came; undefined when nothing is. */
export function findPieceProblem(
  data: Uint8Array,
  { incoming, index }: IncomingPiece,
  sha256: string,
): string | undefined {
  const { bytes } = incoming.locate(index)
  if (data.length !== bytes) return `it has ${data.length} bytes, expected ${bytes}`
  const found = hash('sha256', data)
  return found === sha256 ? undefined : `its sha-256 is ${found}, expected ${sha256}`
}

/** Raises `ENOSPC` when fewer bytes are free. */
export async function checkRoom(directory: string, needed: number): Promise<void> {
  const free = await readFreeBytes(directory)
  if (free >= needed) return
  throw Object.assign(new Error(`no room: ${needed} bytes are missing, ${free} are free`), { code: 'ENOSPC' })
}
