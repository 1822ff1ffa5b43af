/** How many second requests may be sent beside first ones. */
export type HedgeBudget = {
  /** Adds what one request allows. */
  earn(): void
  /** Whether one more may be sent; it is spent then. */
  spend(): boolean
}

const MOST_SAVED = 10

/** Second requests are at most `share` of all first ones, and at most ten more than that in a burst. */
export function createHedgeBudget(share: number): HedgeBudget {
  let saved = share > 0 ? MOST_SAVED : 0
  return {
    earn() {
      saved = Math.min(MOST_SAVED, saved + share)
    },
    spend() {
      if (saved < 1) return false
      saved--
      return true
    },
  }
}
