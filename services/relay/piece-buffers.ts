const MOST_KEPT = 64

/**
 * Memory for pieces, used again and again: the collector alone would let tens of megabytes of them pile up before it
 * looks for what is no longer needed.
 */
export class PieceBuffers {
  readonly #free: Buffer[] = []

  take(bytes: number): Buffer {
    const buffer = this.#free.pop()
    return buffer?.length === bytes ? buffer : Buffer.allocUnsafeSlow(bytes)
  }

  /** Takes back what nobody reads or writes any more. */
  give(buffer: Buffer): void {
    if (this.#free.length < MOST_KEPT && buffer.length > 0) this.#free.push(buffer)
  }
}

/** Of this process: it brings one generation at a time. */
export const PIECE_BUFFERS = new PieceBuffers()
