/** A file on its way to nodes: a path below the generation, and what it must be. */
export type PieceFile = { readonly path: string; readonly bytes: number; readonly sha256: string }

/** A range of one file; pieces are sent, verified and passed on each for itself. */
export type Piece = {
  /** Position of the file in the list of files. */
  readonly file: number
  readonly offset: number
  readonly bytes: number
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
