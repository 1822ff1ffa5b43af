import { hash } from 'node:crypto'
import { join } from 'node:path'
import { readFreeBytes } from '../../lib/adapters/local/node-directory.ts'
import type { Report } from '../../lib/adapters/relay/protocol.ts'
import { listPieces, type Piece } from '../../lib/domain/pieces.ts'
import { IncomingFile, type Taken } from './incoming-file.ts'
import { locatePartial, preparePartial, type Task } from './partial-directory.ts'
import type { OpenPiece } from './serve-pieces.ts'

/** What is here of a generation, as `ready` tells it. */
export type Holdings = Pick<Extract<Report, { told: 'ready' }>, 'pieces' | 'whole'>

/** The files of a generation on their way to this node, by the numbers of their pieces. */
export class Intake {
  readonly pieces: readonly Piece[]
  readonly #files: readonly IncomingFile[]
  /** Number of the first piece of each file. */
  readonly #starts: readonly number[]

  private constructor(files: readonly IncomingFile[], pieces: readonly Piece[]) {
    this.pieces = pieces
    this.#files = files
    const starts: number[] = []
    for (const [number, { file }] of pieces.entries()) starts[file] ??= number
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
    const files: IncomingFile[] = []
    for (const entry of task.files) {
      files.push(await IncomingFile.find(partial, entry, { pieceBytes: task.pieceBytes, published, signal }))
    }
    await checkRoom(
      partial,
      files.reduce((sum, { missingBytes }) => sum + missingBytes, 0),
    )
    for (const file of files) if (file.isComplete && file.pieces.size === 0) await file.finish()
    return new Intake(files, listPieces(task.files, task.pieceBytes))
  }

  get holdings(): Holdings {
    const whole = this.#files.flatMap(({ isWhole }, file) => (isWhole ? [file] : []))
    const pieces = this.#files.flatMap((incoming, file) =>
      Array.from(incoming.pieces, ([index, sha256]) => ({ piece: this.#starts[file]! + index, sha256 })),
    )
    return { pieces, whole }
  }

  file(piece: number): IncomingFile {
    return this.#files[this.pieces[piece]!.file]!
  }

  holds(piece: number, sha256: string): boolean {
    return this.file(piece).holds(this.#indexOf(piece), sha256)
  }

  take(piece: number, sha256: string, data: Uint8Array): Promise<Taken> {
    return this.file(piece).take(this.#indexOf(piece), sha256, data)
  }

  openPiece(piece: number): OpenPiece | undefined {
    return this.pieces[piece] && this.file(piece).openPiece(this.#indexOf(piece))
  }

  #indexOf(piece: number): number {
    return piece - this.#starts[this.pieces[piece]!.file]!
  }
}

/** What is wrong with a piece as it came; undefined when nothing is. */
export function findPieceProblem(data: Uint8Array, { bytes }: Piece, sha256: string): string | undefined {
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
