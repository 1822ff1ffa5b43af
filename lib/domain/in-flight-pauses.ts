import type { Fault } from './bisect.ts'

const FIRST_MS = 250
const LONGEST_MS = 10_000
/** So many failures in a row, and the server is asked by one request at a time until it answers. */
const TRIAL_FAILURES = 2

export type Failure = {
  readonly fault: Fault
  readonly begunAt: number
  readonly now: number
  readonly retryAfterMs: number | undefined
}

/** When a server that fails is asked again. All times are in milliseconds of one clock. */
export class Pauses {
  /** No request begins before. */
  until = Number.NEGATIVE_INFINITY
  /** When something last succeeded. */
  progressAt: number
  private readonly random: () => number
  private failures = 0
  private failedAt = Number.NEGATIVE_INFINITY

  constructor(now: number, random: () => number) {
    this.progressAt = now
    this.random = random
  }

  /** Whether one request at a time is enough to see if the server answers again. */
  get isTrial(): boolean {
    return this.failures >= TRIAL_FAILURES
  }

  succeeded(now: number): void {
    this.failures = 0
    this.progressAt = now
  }

  /**
   * Overload pauses all requests, for as long as the server asks or twice as long as the last time; the same from the
   * second failure of another kind on. Requests that were under way together count once.
   */
  failed({ fault, begunAt, now, retryAfterMs }: Failure): void {
    if (begunAt >= this.failedAt) {
      this.failures++
      this.failedAt = now
    }
    const isFirst = fault === 'transient' && this.failures < TRIAL_FAILURES
    const pauseMs = retryAfterMs ?? (isFirst ? 0 : this.backOff())
    this.until = Math.max(this.until, now + pauseMs)
  }

  /** Between half and all of a time that doubles, so that clients which failed together do not return together. */
  private backOff(): number {
    const ms = Math.min(LONGEST_MS, FIRST_MS * 2 ** (this.failures - 1))
    return ms * (0.5 + this.random() / 2)
  }
}
