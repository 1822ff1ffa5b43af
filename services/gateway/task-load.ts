/** How long tasks take lately, and how many requests are under way to each. */
export type TaskLoad = {
  /** Notes a request under way. */
  begin(address: string): void
  /** Notes its end, and how long its answer took or, when nobody waited longer, would have taken at least. */
  end(address: string, tookMs?: number): void
  /** Milliseconds that one more request may take; 0 for a task of which little is known. */
  expectedWait(address: string): number
}

type Entry = { inFlight: number; measured: number; meanMs: number; measuredAt: number }

/** What is older counts for less than half beside what is new. */
const MEMORY_MS = 1_000
/** However fast requests follow each other, each changes the mean by so much. */
const LEAST_WEIGHT = 0.2
/** The first answers, over connections that have to be opened, tell little; so many are waited for. */
const LEAST_KNOWN = 8
/** A task that was found slow is thought faster with time, or it would never be asked, and measured, again. */
const FORGIVE_MS = 2_000
const FORGET_MS = 60_000

/**
 * Expected waits as of "Peak EWMA" (Finagle): the exponentially weighted mean of latencies, times the requests that the
 * task would have to answer.
 */
export function createTaskLoad(now: () => number): TaskLoad {
  const entries = new Map<string, Entry>()
  const forget = (time: number) => {
    for (const [address, { inFlight, measuredAt }] of entries) {
      if (inFlight === 0 && measuredAt + FORGET_MS <= time) entries.delete(address)
    }
  }
  return {
    begin(address) {
      const entry = entries.get(address)
      if (entry) entry.inFlight++
      else {
        forget(now())
        entries.set(address, { inFlight: 1, measured: 0, meanMs: 0, measuredAt: Number.NEGATIVE_INFINITY })
      }
    },
    end(address, tookMs) {
      const entry = entries.get(address)!
      entry.inFlight--
      if (tookMs === undefined) return
      const weight = Math.max(LEAST_WEIGHT, 1 - Math.exp((entry.measuredAt - now()) / MEMORY_MS))
      entry.measured++
      entry.meanMs += weight * (tookMs - entry.meanMs)
      entry.measuredAt = now()
    },
    expectedWait(address) {
      const entry = entries.get(address)
      if (!entry || entry.measured + entry.inFlight < LEAST_KNOWN) return 0
      const forgiven = entry.inFlight > 0 ? 1 : Math.exp((entry.measuredAt - now()) / FORGIVE_MS)
      return entry.meanMs * forgiven * (entry.inFlight + 1)
    },
  }
}
