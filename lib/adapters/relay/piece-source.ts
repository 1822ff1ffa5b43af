import { createHash } from 'node:crypto'
import { LongshoreError } from '../../domain/errors.ts'
import { choosePieceBytes, listPieces, type Piece, type PieceFile } from '../../domain/pieces.ts'
import { hashStart, readRange } from '../ssh/source-file.ts'

const HASH_BYTES = 32

/** The pieces of files of this machine. A piece is read when it is asked for; of its hash, only the digits are kept. */
export class PieceSource {
  readonly files: readonly PieceFile[]
  readonly pieceBytes: number
  readonly pieces: readonly Piece[]
  readonly #directory: string
  readonly #hashes: Buffer
  readonly #isHashed: Uint8Array

  /** `files` are those of `directory`; pieces have at least so many bytes. */
  constructor(directory: string, files: readonly PieceFile[], leastPieceBytes: number) {
    this.files = files
    this.pieceBytes = choosePieceBytes(files, leastPieceBytes)
    this.pieces = listPieces(files, this.pieceBytes)
    this.#directory = directory
    this.#hashes = Buffer.alloc(HASH_BYTES * this.pieces.length)
    this.#isHashed = new Uint8Array(this.pieces.length)
  }

  /** The bytes of a piece. Raises `corrupt` for a file that is missing or has not the size that it must have. */
  async read(piece: number): Promise<Buffer> {
    const range = this.pieces[piece]!
    const bytes = await readRange(this.#directory, this.files[range.file]!, range)
    if (!this.#isHashed[piece]) {
      createHash('sha256')
        .update(bytes)
        .digest()
        .copy(this.#hashes, HASH_BYTES * piece)
      this.#isHashed[piece] = 1
    }
    return bytes
  }

  /** SHA-256 of a piece in hexadecimal digits. Raises as {@link read}. */
  async hash(piece: number): Promise<string> {
    if (!this.#isHashed[piece]) await this.read(piece)
    return this.#hashes.toString('hex', HASH_BYTES * piece, HASH_BYTES * (piece + 1))
  }

  /** Raises `corrupt` naming the file when its own bytes are not what they must be. */
  async check(file: number): Promise<void> {
    const entry = this.files[file]!
    const found = await hashStart(this.#directory, entry, entry.bytes)
    if (found === entry.sha256) return
    throw new LongshoreError(
      'corrupt',
      `${this.#directory}/${entry.path} has sha-256 ${found}, the manifest says ${entry.sha256}`,
      { hint: 'the generation differs from its own manifest: split again, then deliver again' },
    )
  }
}
