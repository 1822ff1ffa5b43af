/** How many items were done by when, in milliseconds since the beginning. */
export type RatePoint = { readonly ms: number; readonly items: number }

const MOST_POINTS = 120

/** Remembers how work went on, however long it takes: with more points than are worth it every other one is forgotten. */
export class RateCurve {
  #points: RatePoint[] = []
  #step = 1
  #seen = 0
  #last: RatePoint | undefined

  add(point: RatePoint): void {
    this.#last = point
    if (this.#seen++ % this.#step !== 0) return
    this.#points.push(point)
    if (this.#points.length < MOST_POINTS) return
    this.#points = this.#points.filter((_, index) => index % 2 === 0)
    this.#step *= 2
  }

  /** In the order of time, with the last one. */
  list(): RatePoint[] {
    const kept = this.#points.at(-1)
    return this.#last === undefined || kept === this.#last ? [...this.#points] : [...this.#points, this.#last]
  }
}

/** Items a second between each two points, at the later one's time. */
export function listRates(
  points: readonly RatePoint[],
): { readonly ms: number; readonly perSecond: number }[] {
  const from = [{ ms: 0, items: 0 }, ...points]
  return points.flatMap(({ ms, items }, index) => {
    const before = from[index]!
    return ms > before.ms ? [{ ms, perSecond: (1000 * (items - before.items)) / (ms - before.ms) }] : []
  })
}
