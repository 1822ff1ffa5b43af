/** A file on its way to nodes: a path below the generation, and what it must be. */
export type PieceFile = { readonly path: string; readonly bytes: number; readonly sha256: string }

/** A range of one file; pieces are sent, verified and passed on each for itself. */
export type Piece = {
  /** Position of the file in the list of files. */
  readonly file: number
  readonly offset: number
  readonly bytes: number
}

/** What a relay has of earlier runs it tells piece by piece, in one message: more of them would not fit in its memory. */
const MOST_PIECES = 50_000
/** Beyond it, so few would be on their way at once that links were idle. */
const LARGEST_BYTES = 4 * 2 ** 20

/** Bytes of a piece: `least`, or as many times twice that as keep the pieces of large files few. */
export function choosePieceBytes(files: readonly Pick<PieceFile, 'bytes'>[], least: number): number {
  const count = (pieceBytes: number) =>
    files.reduce((sum, { bytes }) => sum + countPieces(bytes, pieceBytes), 0)
  let pieceBytes = least
  while (count(pieceBytes) > MOST_PIECES && 2 * pieceBytes <= LARGEST_BYTES) pieceBytes *= 2
  return pieceBytes
}

/** All pieces of the files, numbered through from 0: ranges of `pieceBytes` each, the last one of a file may be shorter. */
export function listPieces(files: readonly Pick<PieceFile, 'bytes'>[], pieceBytes: number): Piece[] {
  return files.flatMap(({ bytes }, file) =>
    Array.from({ length: countPieces(bytes, pieceBytes) }, (_, index) => ({
      file,
      ...locatePiece(bytes, pieceBytes, index),
    })),
  )
}

/** How many pieces a file of so many bytes has. */
export function countPieces(bytes: number, pieceBytes: number): number {
  return Math.ceil(bytes / pieceBytes)
}

/** Where a piece of such a file lies, by its position among them. */
export function locatePiece(bytes: number, pieceBytes: number, index: number): Omit<Piece, 'file'> {
  const offset = index * pieceBytes
  return { offset, bytes: Math.min(pieceBytes, bytes - offset) }
}
