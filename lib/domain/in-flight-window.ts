export type WindowOptions = {
  /** The most requests at a time. */
  readonly most: number
  /** Whether to begin with the most, rather than to find out how many are worth it. */
  readonly isFixed?: boolean
}

const START = 4
/** Requests and milliseconds that a rate is measured over, at least. */
const ROUND_TURNS = 3
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
  /** Requests that were under way when the size changed do not tell what it brings. */
  private toSkip: number
  private ended = 0
  private items = 0
  private since = 0

  constructor({ most, isFixed = false }: WindowOptions) {
    this.most = Math.max(1, most)
    this.size = isFixed ? this.most : Math.min(START, this.most)
    this.toSkip = this.size
  }

  /** A request succeeded at `now`, in milliseconds. */
  succeeded(items: number, now: number): void {
    if (this.toSkip > 0) {
      this.toSkip--
      this.since = now
      return
    }
    this.ended++
    this.items += items
    const tookMs = now - this.since
    if (this.ended < ROUND_TURNS * this.size || tookMs < ROUND_MS) return
    const rate = this.items / tookMs
    this.ended = 0
    this.items = 0
    this.since = now
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
    this.toSkip = this.size
    this.ended = 0
    this.items = 0
  }
}
