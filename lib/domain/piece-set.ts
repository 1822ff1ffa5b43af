/** A set of pieces, one bit each. */
export type PieceSet = Uint32Array

/** An empty set that has room for so many pieces. */
export function createPieceSet(pieces: number): PieceSet {
  return new Uint32Array(Math.ceil(pieces / 32))
}

/** Whether a piece is in a set. */
export function hasPiece(set: PieceSet, piece: number): boolean {
  return (set[piece >>> 5]! & (1 << (piece & 31))) !== 0
}

/** Puts a piece into a set, which may have it already. */
export function addPiece(set: PieceSet, piece: number): void {
  set[piece >>> 5]! |= 1 << (piece & 31)
}

/** Takes a piece out of a set, which may lack it already. */
export function removePiece(set: PieceSet, piece: number): void {
  set[piece >>> 5]! &= ~(1 << (piece & 31))
}

/** Calls back with each piece of a set, in ascending order. */
export function visitPieces(set: PieceSet, visit: (piece: number) => void): void {
  for (const [word, all] of set.entries()) {
    for (let bits = all; bits !== 0; bits &= bits - 1) visit(word * 32 + lowestBit(bits))
  }
}

/**
 * The piece of both sets that has the fewest `copies`, or -1 where they share none. Looks at `most` shared pieces at the
 * most, from the word `start` (a share in [0, 1)) on, so that its time is bounded and not everybody chooses alike.
 */
export function findRarest(
  held: PieceSet,
  wanted: PieceSet,
  { copies, start, most }: { readonly copies: Uint32Array; readonly start: number; readonly most: number },
): number {
  const words = wanted.length
  const first = Math.floor(start * words)
  let rarest = -1
  let fewest = Number.POSITIVE_INFINITY
  let left = most
  for (let step = 0; step < words; step++) {
    const word = first + step < words ? first + step : first + step - words
    for (let bits = held[word]! & wanted[word]!; bits !== 0; bits &= bits - 1) {
      const piece = word * 32 + lowestBit(bits)
      if (copies[piece]! < fewest) {
        fewest = copies[piece]!
        rarest = piece
      }
      if (--left === 0) return rarest
    }
  }
  return rarest
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits)
}
