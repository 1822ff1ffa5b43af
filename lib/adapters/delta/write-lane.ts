const BUFFER_BYTES = 1024 * 1024

/** Two buffers in turn: what one of them holds is written while the other one is filled. */
export class WriteLane {
  #filling = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  #writing = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  #written: Promise<void> = Promise.resolve()

  /** To be filled from its start; another one after every `pass`. */
  get buffer(): Buffer {
    return this.#filling
  }

  /**
   * Starts to write the first bytes of the buffer. Resolves when the other one is free; raises what the system raised
   * for that one.
   */
  async pass(bytes: number, write: (data: Uint8Array) => Promise<void>): Promise<void> {
    const written = this.#written
    const data = this.#filling.subarray(0, bytes)
    this.#written = written.then(() => write(data))
    // Raised to whoever waits for it next.
    this.#written.catch(() => undefined)
    ;[this.#filling, this.#writing] = [this.#writing, this.#filling]
    await written
  }

  /** Resolves when nothing is being written. Raises what the system raised. */
  finish(): Promise<void> {
    return this.#written
  }
}
