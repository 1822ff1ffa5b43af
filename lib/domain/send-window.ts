/** How long what is on its way may have to wait for what was sent before it, in ms. */
const MOST_WAIT_MS = 50
const FORGETTING = 0.1

type Sent = { readonly end: number; readonly at: number; readonly heard: number }

/**
 * How much may be on its way to a node that tells what has come: as much as its link takes in a round trip, and a little
 * more. What else is said on the same connection then never waits for long. Times are in ms of any clock.
 */
export class SendWindow {
  readonly #least: number
  readonly #underWay: Sent[] = []
  #sent = 0
  #heard = 0
  /** Bytes per ms; it goes up at once and down slowly, as what is sent may have been what was short. */
  #rate = 0
  /** The shortest that was seen, in ms: a longer one may be of our own making. */
  #roundTrip = Number.POSITIVE_INFINITY

  /** `least` bytes are always allowed. */
  constructor(least: number) {
    this.#least = least
  }

  /** Bytes that may be on their way at once. */
  get size(): number {
    if (this.#rate === 0) return this.#least
    // The half lets it grow where all that is allowed is less than a part more.
    return Math.max(this.#least, this.#rate * (this.#roundTrip + MOST_WAIT_MS) + this.#least / 2)
  }

  /** Whether so many bytes more may be sent now. */
  hasRoom(bytes: number): boolean {
    return this.#sent - this.#heard + bytes <= this.size
  }

  noteSent(bytes: number, now: number): void {
    this.#sent += bytes
    this.#underWay.push({ end: this.#sent, at: now, heard: this.#heard })
  }

  /** `total` bytes have come since the beginning. */
  noteHeard(total: number, now: number): void {
    this.#heard = Math.min(Math.max(this.#heard, total), this.#sent)
    const open = this.#underWay.findIndex(({ end }) => end > this.#heard)
    const come = this.#underWay.splice(0, open < 0 ? this.#underWay.length : open)
    const last = come.at(-1)
    if (last) this.#learn(last, now)
  }

  #learn({ at, heard }: Sent, now: number): void {
    const ms = Math.max(now - at, 1e-3)
    const sample = (this.#heard - heard) / ms
    this.#rate = Math.max(sample, this.#rate + (sample - this.#rate) * FORGETTING)
    this.#roundTrip = Math.min(this.#roundTrip, ms)
  }
}
