const MOST_KEPT_BYTES = 16 * 2 ** 20

/**
 * Memory for pieces and parts of them, used again and again: the collector alone would let tens of megabytes of them pile
 * up before it looks for what is no longer needed.
 */
export class PieceBuffers {
  /** By their size: most are of one of two. */
  readonly #free = new Map<number, Buffer[]>()
  #keptBytes = 0

  take(bytes: number): Buffer {
    const buffer = this.#free.get(bytes)?.pop()
    if (!buffer) return Buffer.allocUnsafeSlow(bytes)
    this.#keptBytes -= bytes
    return buffer
  }

  /** Takes back what nobody reads or writes any more. */
  give(buffer: Buffer): void {
    if (this.#keptBytes + buffer.length > MOST_KEPT_BYTES || buffer.length === 0) return
    const alike = this.#free.get(buffer.length) ?? []
    this.#free.set(buffer.length, alike)
    alike.push(buffer)
    this.#keptBytes += buffer.length
  }
}

/** Of this process: it brings one generation at a time. */
export const PIECE_BUFFERS = new PieceBuffers()
