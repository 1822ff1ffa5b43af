import { constants, openSync, renameSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode, syncFile } from '../../lib/adapters/files/durable-files.ts'
import { findFileProblem } from '../../lib/adapters/local/file-copy.ts'
import { hashStart } from '../../lib/adapters/ssh/source-file.ts'
import { countPieces, locatePiece, type Piece, type PieceFile } from '../../lib/domain/pieces.ts'
import { PieceSums } from './piece-sums.ts'
import {
  deletePieces,
  locateLog,
  locatePieces,
  type PiecesFile,
  readBackPieces,
  startPieces,
  writePiece,
} from './pieces-file.ts'
import type { OpenPiece } from './serve-pieces.ts'

/** How a piece was taken; `busy` when the same one is being written already, or the file is being read back. */
export type Taken = 'written' | 'held' | 'busy'

export type FindOptions = {
  readonly pieceBytes: number
  /** The directory that the generation will be in. */
  readonly published: string
  readonly signal: AbortSignal
}

/** One file on its way to this node: the pieces of it that are here, until it is whole. */
export class IncomingFile {
  readonly pieceCount: number
  readonly #directory: string
  readonly #entry: PieceFile
  readonly #file: PiecesFile
  /** Where it lies once the command has given the generation its final name. */
  readonly #published: string
  /** SHA-256 of the pieces that are on the disk, by their index; of a whole file they are not known. */
  #sums: PieceSums
  readonly #writing = new Set<number>()
  #started: Promise<void> | undefined
  #state: 'partial' | 'finishing' | 'whole' = 'partial'

  private constructor(
    directory: string,
    entry: PieceFile,
    { pieceBytes, published }: Omit<FindOptions, 'signal'>,
  ) {
    this.#directory = directory
    this.#published = join(published, entry.path)
    this.#entry = entry
    this.#file = { path: join(directory, entry.path), bytes: entry.bytes, pieceBytes }
    this.pieceCount = countPieces(entry.bytes, pieceBytes)
    this.#sums = new PieceSums(this.pieceCount)
  }

  /** Looks what is there of a file, and reads it back. Raises `corrupt` or `ELOOP` where there is a symbolic link. */
  static async find(directory: string, entry: PieceFile, options: FindOptions): Promise<IncomingFile> {
    const incoming = new IncomingFile(directory, entry, options)
    await incoming.#find(options.signal)
    return incoming
  }

  /** Where its pieces lie until it is whole. */
  get piecesPath(): string {
    return locatePieces(this.#file.path)
  }

  get isWhole(): boolean {
    return this.#state === 'whole'
  }

  /** Whether every piece has come and the file can be finished. */
  get isComplete(): boolean {
    return this.#state === 'partial' && this.#sums.size === this.pieceCount
  }

  get missingBytes(): number {
    if (this.isWhole) return 0
    let missing = 0
    for (let index = 0; index < this.pieceCount; index++) {
      if (!this.#sums.has(index)) missing += this.locate(index).bytes
    }
    return missing
  }

  /** The pieces that are here of a file that is not whole: index and SHA-256. */
  get pieces(): Iterable<readonly [index: number, sha256: string]> {
    return this.isWhole ? [] : this.#sums
  }

  locate(index: number): Omit<Piece, 'file'> {
    return locatePiece(this.#file.bytes, this.#file.pieceBytes, index)
  }

  /** Whether this very piece is here. */
  holds(index: number, sha256: string): boolean {
    return this.isWhole || this.#sums.get(index) === sha256
  }

  /** Writes a piece that has been verified. */
  async take(index: number, sha256: string, data: Uint8Array): Promise<Taken> {
    if (this.holds(index, sha256)) return 'held'
    if (this.#writing.has(index) || this.#state === 'finishing') return 'busy'
    this.#writing.add(index)
    this.#sums.delete(index)
    try {
      await this.#start()
      await writePiece(this.#file, index, data)
      this.#sums.set(index, sha256)
    } finally {
      this.#writing.delete(index)
    }
    return 'written'
  }

  /** Reads a complete file back and gives it its name, or throws its pieces away. Resolves to the SHA-256 found. */
  async finish(): Promise<string> {
    const { path, bytes } = this.#file
    this.#state = 'finishing'
    await this.#start()
    await syncFile(locatePieces(path))
    const pieces = { path: locatePieces(this.#entry.path), bytes, sha256: this.#entry.sha256 }
    const sha256 = await hashStart(this.#directory, pieces, bytes)
    if (sha256 === this.#entry.sha256) await this.#publish()
    else await this.#discard()
    return sha256
  }

  /** Opens the file at a piece, to send it; undefined when the piece is not here. */
  openPiece(index: number): OpenPiece | undefined {
    if (!this.isWhole && !this.#sums.has(index)) return undefined
    // At once, so that the file cannot get its other name in between.
    const descriptor = this.isWhole
      ? (openIfPresent(this.#file.path) ?? openIfPresent(this.#published))
      : openIfPresent(locatePieces(this.#file.path))
    return descriptor === undefined ? undefined : { descriptor, ...this.locate(index) }
  }

  #start(): Promise<void> {
    this.#started ??= startPieces(this.#file)
    return this.#started
  }

  async #find(signal: AbortSignal): Promise<void> {
    const { path } = this.#file
    if ((await findFileProblem(path, this.#entry, signal)) === undefined) {
      this.#state = 'whole'
      return
    }
    const { sums, sha256 } = await readBackPieces(this.#file, signal)
    if (sums.size > 0) this.#started = Promise.resolve()
    this.#sums = sums
    if (sha256 !== this.#entry.sha256) return
    await syncFile(locatePieces(path))
    await this.#publish()
  }

  async #publish(): Promise<void> {
    const { path } = this.#file
    renameSync(locatePieces(path), path)
    this.#state = 'whole'
    this.#sums.clear()
    await rm(locateLog(path), { force: true })
  }

  async #discard(): Promise<void> {
    this.#sums.clear()
    await deletePieces(this.#file.path)
    this.#started = undefined
    this.#state = 'partial'
  }
}

function openIfPresent(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}
