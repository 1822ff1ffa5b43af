const SUM_BYTES = 32

/** The SHA-256 of the pieces of a file that are here, by their index; as bytes, since a large file has very many. */
export class PieceSums {
  readonly #sums: Buffer
  readonly #isHere: Uint8Array
  #size = 0

  constructor(pieces: number) {
    this.#sums = Buffer.alloc(pieces * SUM_BYTES)
    this.#isHere = new Uint8Array(pieces)
  }

  get size(): number {
    return this.#size
  }

  has(index: number): boolean {
    return this.#isHere[index] === 1
  }

  /** In hexadecimal digits; undefined for a piece that is not here. */
  get(index: number): string | undefined {
    if (!this.has(index)) return undefined
    return this.#sums.toString('hex', index * SUM_BYTES, (index + 1) * SUM_BYTES)
  }

  set(index: number, sha256: string): void {
    this.#sums.write(sha256, index * SUM_BYTES, 'hex')
    this.#mark(index, 1)
  }

  delete(index: number): void {
    this.#mark(index, 0)
  }

  clear(): void {
    this.#isHere.fill(0)
    this.#size = 0
  }

  *[Symbol.iterator](): Generator<readonly [index: number, sha256: string]> {
    for (const index of this.#isHere.keys()) {
      if (this.has(index)) yield [index, this.get(index)!]
    }
  }

  #mark(index: number, isHere: 0 | 1): void {
    this.#size += isHere - this.#isHere[index]!
    this.#isHere[index] = isHere
  }
}
