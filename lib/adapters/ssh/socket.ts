import { Socket } from 'node:net'

/**
 * A socket that gives the kernel at once what is written in one turn of the event loop: ssh2 writes each packet in three
 * parts, and a system call for each costs more than to encrypt it.
 */
export class GatheringSocket extends Socket {
  #isGathering = false
  readonly #waiting: (() => void)[] = []

  constructor() {
    super()
    const wake = () => {
      for (const resolve of this.#waiting.splice(0)) resolve()
    }
    this.on('drain', wake).on('close', wake)
  }

  /** Begins to connect. What stands in the way is told by the event `error`. */
  connectTo(port: number, host: string): void {
    this.setNoDelay(true).connect(port, host)
    // `connect` has given this socket the `write` of all others.
    Reflect.deleteProperty(this, 'write')
  }

  override write(data: Uint8Array | string, ...rest: unknown[]): boolean {
    if (!this.#isGathering) {
      this.#isGathering = true
      this.cork()
      process.nextTick(() => {
        this.#isGathering = false
        this.uncork()
      })
    }
    return super.write(data, ...(rest as []))
  }

  /** Resolves when the kernel has taken what was written, at once where it is not much; and when the socket is closed. */
  drained(): Promise<void> {
    return this.writableNeedDrain ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve()
  }
}
