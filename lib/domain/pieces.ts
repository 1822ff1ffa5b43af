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
    Array.from({ length: Math.ceil(bytes / pieceBytes) }, (_, index) => {
      const offset = index * pieceBytes
      return { file, offset, bytes: Math.min(pieceBytes, bytes - offset) }
    }),
  )
}
