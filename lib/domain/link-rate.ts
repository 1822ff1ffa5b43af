/** What is known of one direction of a node's link, in bytes per ms. */
export type LinkRate = { perMs: number; samples: number }

const FORGETTING = 0.1
const SLOW_SHARE = 1 / 3
/** A few fetches say little: those whom they came from may be busy, or have just begun. */
const LEAST_SAMPLES = 8

/** A link of which nothing is known yet. */
export function createLinkRate(): LinkRate {
  return { perMs: 0, samples: 0 }
}

/**
 * Learns from a fetch that took `ms` beside others, `shared` of them with it: each has about that share of the link.
 * The other end may have been what held it up, so the rate goes up at once and down slowly.
 */
export function noteFetch(
  rate: LinkRate,
  bytes: number,
  { ms, shared }: { ms: number; shared: number },
): void {
  const sample = (bytes / Math.max(ms, 1e-3)) * shared
  rate.perMs = Math.max(sample, rate.perMs + (sample - rate.perMs) * FORGETTING)
  rate.samples++
}

/** The rate of the link in the middle, of those that are known; undefined before any is. */
export function findTypicalRate(rates: readonly LinkRate[]): number | undefined {
  const known = rates.filter(({ samples }) => samples > 0).map(({ perMs }) => perMs)
  return known.sort((a, b) => a - b)[known.length >> 1]
}

/** Whether there were enough fetches to judge a link by. */
export function isKnown({ samples }: LinkRate): boolean {
  return samples >= LEAST_SAMPLES
}

/** Whether a link is known to be much slower than the typical one. */
export function isSlow(rate: LinkRate, typical: number | undefined): boolean {
  return typical !== undefined && isKnown(rate) && rate.perMs < typical * SLOW_SHARE
}
