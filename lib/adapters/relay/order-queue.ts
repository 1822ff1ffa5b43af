/** What waits to be written to a relay. Whoever adds something learns when the connection has taken it. */
export class OrderQueue {
  readonly #waiting: {
    readonly blocks: readonly Uint8Array[]
    readonly taken: (isTaken: boolean) => void
  }[] = []
  #wake: () => void = () => undefined
  #isClosed = false

  /** Resolves once the blocks were taken, or to false when they never will be, because the relay has ended. */
  push(blocks: readonly Uint8Array[]): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false)
    return new Promise((resolve) => {
      this.#waiting.push({ blocks, taken: resolve })
      this.#wake()
    })
  }

  /** Ends what is read from it, after what waits. */
  close(): void {
    this.#isClosed = true
    this.#wake()
  }

  /** Forgets what waits, and ends. */
  discard(): void {
    for (const { taken } of this.#waiting.splice(0)) taken(false)
    this.close()
  }

  /** Everything that waits is one block, where it is small: each costs the connection a packet. */
  async *read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#waiting.splice(0)
      if (next.length > 0) {
        let isTaken = false
        try {
          yield Buffer.concat(next.flatMap(({ blocks }) => blocks))
          isTaken = true
        } finally {
          for (const { taken } of next) taken(isTaken)
        }
      } else if (this.#isClosed) {
        return
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }
}
