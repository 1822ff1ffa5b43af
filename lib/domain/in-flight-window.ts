export type WindowOptions = {
  /** The most requests at a time. */
  readonly most: number
  /** Whether to begin with the most, rather than to find out how many are worth it. */
  readonly isFixed?: boolean
}

/** A request that was answered and stored. Times are in milliseconds of one clock. */
export type Success = {
  readonly items: number
  /** Requests that were under way when it was sent, itself included. */
  readonly inFlight: number
  readonly begunAt: number
  readonly now: number
}

const START = 4
/** Requests after a change that do not tell yet what it brings: those of before, and those that met a shorter queue. */
const SKIPPED_TURNS = 2
/** Requests and milliseconds that a rate is measured over, at least. */
const ROUND_TURNS = 2
const ROUND_MS = 250
/** While it is far from enough, twice as many; then a quarter more each time. What a rate must gain by it. */
const DOUBLE = { factor: 2, gain: 1.15 }
const STEP = { factor: 1.25, gain: 1.03 }
/** Rounds until more is tried again after it gained nothing, or was too much. */
const REST_ROUNDS = 20

/**
 * How many requests are under way at a time: more as long as more items a second come back for it, half as many when the
 * server is overloaded. Hill climbing on measured rates; halving as in TCP (Chiu and Jain 1989).
 */
export class InFlightWindow {
  size: number
  private readonly most: number
  private climb: { readonly factor: number; readonly gain: number } = DOUBLE
  /** The size before the present one, and its rate in items a millisecond; undefined while nothing is tried. */
  private former: { readonly size: number; readonly rate: number } | undefined
  private rest = 0
  private shrunkAt = Number.NEGATIVE_INFINITY
  private toSkip: number
  private since = 0
  private ended = 0
  private tookMs = 0
  private items = 0
  /** The most requests that were under way together. */
  private inFlight = 0

  constructor({ most, isFixed = false }: WindowOptions) {
    this.most = Math.max(1, most)
    this.size = isFixed ? this.most : Math.min(START, this.most)
    this.toSkip = SKIPPED_TURNS * this.size
  }

  /**
   * A request succeeded. The rate is what is under way by the time that it takes (Little's law): counting what comes back
   * would depend on the moment where counting ends, for servers answer in bursts.
   */
  succeeded({ items, inFlight, begunAt, now }: Success): void {
    if (this.toSkip > 0) {
      this.toSkip--
      this.since = now
      return
    }
    this.ended++
    this.tookMs += now - begunAt
    this.items += items
    this.inFlight = Math.max(this.inFlight, inFlight)
    if (this.ended < ROUND_TURNS * this.size || now - this.since < ROUND_MS) return
    const rate = (this.inFlight * this.items) / Math.max(this.tookMs, Number.MIN_VALUE)
    this.measureFrom(now)
    this.climbBy(rate)
  }

  /** A request that began at `begunAt` was refused because there are too many; those that began before the last one count as the same. */
  overloaded(begunAt: number, now: number): void {
    if (begunAt < this.shrunkAt) return
    this.shrunkAt = now
    this.former = undefined
    this.climb = STEP
    this.rest = REST_ROUNDS
    this.resize(Math.floor(this.size / 2))
  }

  private climbBy(rate: number): void {
    if (this.former && rate < this.climb.gain * this.former.rate) {
      const { size } = this.former
      this.former = undefined
      if (this.climb === STEP) this.rest = REST_ROUNDS
      this.climb = STEP
      this.resize(size)
      return
    }
    this.former = undefined
    if (this.size >= this.most || this.rest-- > 0) return
    this.former = { size: this.size, rate }
    this.resize(Math.max(this.size + 1, Math.round(this.size * this.climb.factor)))
  }

  private resize(size: number): void {
    this.size = Math.min(this.most, Math.max(1, size))
    this.toSkip = SKIPPED_TURNS * this.size
    this.measureFrom(0)
  }

  private measureFrom(now: number): void {
    this.since = now
    this.ended = 0
    this.tookMs = 0
    this.items = 0
    this.inFlight = 0
  }
}
