/** Time that passes, and what is done later; tests have one that they turn by hand. */
export type Clock = {
  /** Milliseconds since some moment. */
  now(): number
  /** Runs once after so many milliseconds, unless what it returned is called before. */
  after(milliseconds: number, run: () => void): () => void
}

export const CLOCK: Clock = {
  now: () => performance.now(),
  after(milliseconds, run) {
    let isCancelled = false
    // After a pause of the whole process, answers that came meanwhile are read before anybody is found late.
    const timer = setTimeout(
      () => setImmediate(() => (isCancelled ? undefined : run())),
      Math.max(0, milliseconds),
    )
    return () => {
      isCancelled = true
      clearTimeout(timer)
    }
  },
}
