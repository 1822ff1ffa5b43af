/** Time as a run sees it; tests turn theirs by hand. */
export type Clock = {
  /** Milliseconds since some moment. */
  now(): number
  /** Runs once after so many milliseconds, unless what it returned is called before. */
  after(ms: number, run: () => void): () => void
  /** Milliseconds that this thread has worked so far. */
  busyMs(): number
}

export const CLOCK: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
  busyMs: () => performance.eventLoopUtilization().active,
}
