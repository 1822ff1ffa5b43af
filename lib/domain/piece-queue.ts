/** Pieces in the order in which they were added, each at most once. */
export class PieceQueue {
  readonly #ring: Uint32Array
  readonly #isIn: Uint8Array
  #head = 0
  #size = 0

  constructor(pieces: number) {
    this.#ring = new Uint32Array(pieces)
    this.#isIn = new Uint8Array(pieces)
  }

  add(piece: number): void {
    if (this.#isIn[piece] === 1) return
    this.#isIn[piece] = 1
    this.#ring[(this.#head + this.#size++) % this.#ring.length] = piece
  }

  take(): number | undefined {
    if (this.#size === 0) return undefined
    const piece = this.#ring[this.#head]!
    this.#head = (this.#head + 1) % this.#ring.length
    this.#size--
    this.#isIn[piece] = 0
    return piece
  }
}
