import { setImmediate as wait } from 'node:timers/promises'

/** Bytes after which others get their turn. */
const TURN_BYTES = 1024 * 1024

/** Lets others have their turn during long work that does not wait for anything, and ends it when it is given up. */
export class Pace {
  readonly #signal: AbortSignal
  readonly #onProgress: ((bytes: number) => void) | undefined
  #waiting = 0

  /** `onProgress` is told bytes that were dealt with since it was called last. */
  constructor(signal: AbortSignal, onProgress?: (bytes: number) => void) {
    this.#signal = signal
    this.#onProgress = onProgress
  }

  /** To be called after some work. Raises the reason of the signal. */
  async turn(): Promise<void> {
    this.#signal.throwIfAborted()
    await wait()
  }

  /** To be called after work on so many bytes; a turn where there were enough of them. */
  async spend(bytes: number): Promise<void> {
    this.#waiting += bytes
    if (this.#waiting < TURN_BYTES) return
    this.#onProgress?.(this.#waiting)
    this.#waiting = 0
    await this.turn()
  }

  /** Tells of what is left. */
  finish(): void {
    this.#onProgress?.(this.#waiting)
    this.#waiting = 0
  }
}
