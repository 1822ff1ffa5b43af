/** Decides which requests are begun, so that those that are begun are answered in time. */
export type Admission = {
  /** Whether one more request may begin; if so, it is under way until it ends. */
  begin(): boolean
  /** Notes the end of a request that was begun, and whether it was answered. */
  end(outcome: { readonly tookMs: number; readonly isAnswered: boolean }): void
  /** How many requests may be under way now. */
  limit(): number
}

export type AdmissionOptions = {
  /** Requests under way at most, however fast they are answered. */
  readonly most: number
  /** How long an answer should take at most. */
  readonly targetMs: number
  readonly now?: () => number
}

/** So many may always be under way: fewer would leave processors idle. */
const LEAST = 16
const LEAST_MEASURED = 8
const MEASURED = 64
/** Answers faster than this share of the target have not waited, for example those from a cache. */
const UNHURRIED = 0.05

/**
 * Lets in as many requests as are answered in the target time at the rate of the last answers: by Little's law, answers
 * then take the target time at most. The rate is measured only while requests pile up, and forgotten once they do not.
 */
export function createAdmission({
  most,
  targetMs,
  now = () => performance.now(),
}: AdmissionOptions): Admission {
  const least = Math.min(LEAST, most)
  /** When the last answers were given. */
  let answered: number[] = []
  let running = 0
  const limit = () => {
    if (answered.length < LEAST_MEASURED) return most
    const perMs = (answered.length - 1) / Math.max(now() - answered[0]!, Number.MIN_VALUE)
    return Math.min(most, Math.max(least, Math.floor(perMs * targetMs)))
  }
  return {
    limit,
    begin() {
      if (running >= least && running >= limit()) return false
      running++
      return true
    },
    end({ tookMs, isAnswered }) {
      running--
      if (running < least / 2) answered = []
      else if (isAnswered && tookMs >= UNHURRIED * targetMs) {
        answered.push(now())
        if (answered.length > MEASURED) answered.shift()
      }
    },
  }
}
