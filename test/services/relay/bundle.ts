import { hash, randomBytes } from 'node:crypto'
import { listPieces, type Piece, type PieceFile } from '../../../lib/domain/pieces.ts'

/** Files to bring, with what is in them. */
export type Bundle = {
  readonly generation: string
  readonly files: readonly PieceFile[]
  readonly contents: readonly Buffer[]
  readonly pieceBytes: number
  readonly pieces: readonly Piece[]
  /** SHA-256 of each piece. */
  readonly sums: readonly string[]
  bytesOf(piece: number): Buffer
}

export const SECRET = randomBytes(32)

/** Files of these sizes with random contents. bytes */
export function makeBundle(sizes: Readonly<Record<string, number>>, pieceBytes: number): Bundle {
  const contents = Object.values(sizes).map((bytes) => randomBytes(bytes))
  const files = Object.keys(sizes).map((path, file) => ({
    path,
    bytes: contents[file]!.length,
    sha256: hash('sha256', contents[file]!),
  }))
  const pieces = listPieces(files, pieceBytes)
  const bytesOf = (piece: number) => {
    const { file, offset, bytes } = pieces[piece]!
    return contents[file]!.subarray(offset, offset + bytes)
  }
  const sums = pieces.map((_, piece) => hash('sha256', bytesOf(piece)))
  return { generation: 'dg_7', files, contents, pieceBytes, pieces, sums, bytesOf }
}
