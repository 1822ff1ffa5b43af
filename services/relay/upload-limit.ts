import { setTimeout as wait } from 'node:timers/promises'

export const MOST_SLICE_BYTES = 64 * 1024
const LEAST_SLICE_BYTES = 4 * 1024
const SLICES_PER_SECOND = 20
/** What was not sent in this time is not made up for later. */
const BURST_MS = 100

export type UploadClock = { now(): number; wait(milliseconds: number): Promise<unknown> }

const CLOCK: UploadClock = { now: () => performance.now(), wait }

/**
 * Bounds what a relay sends in a second over all its connections (a token bucket). Each of them asks for one slice at a
 * time, and who asked first sends first, so none gets more than another.
 */
export class UploadLimit {
  #rate: number | null
  /** When everything that was granted so far has been sent. ms */
  #freeAt = Number.NEGATIVE_INFINITY
  readonly #clock: UploadClock

  constructor(rate: number | null, clock: UploadClock = CLOCK) {
    this.#rate = rate
    this.#clock = clock
  }

  /** Bytes per second from now on; null for no limit. */
  setRate(rate: number | null): void {
    this.#rate = rate
    this.#freeAt = Math.min(this.#freeAt, this.#clock.now())
  }

  /** The most to ask for at once: little when the limit is low, so that nobody waits long for a sign of life. */
  get sliceBytes(): number {
    if (this.#rate === null) return MOST_SLICE_BYTES
    const bytes = Math.floor(this.#rate / SLICES_PER_SECOND)
    return Math.max(LEAST_SLICE_BYTES, Math.min(MOST_SLICE_BYTES, bytes))
  }

  /** Resolves when so many bytes may be sent. */
  async take(bytes: number): Promise<void> {
    if (this.#rate === null) return
    const now = this.#clock.now()
    const start = Math.max(this.#freeAt, now - BURST_MS)
    this.#freeAt = start + (bytes / this.#rate) * 1000
    if (start > now) await this.#clock.wait(start - now)
  }
}
