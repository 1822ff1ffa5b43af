import { HttpError } from '../http/http-error.ts'

/** Work under way, each for several keys, that everybody may wait for who wants one of them. */
export type Flights<T> = {
  has(key: string): boolean
  /** Starts work for keys of which none is under way; it resolves to a value for each, in their order. */
  start(keys: readonly string[], work: (signal: AbortSignal) => Promise<readonly T[]>): void
  /**
   * The values of keys that are all under way. Raises what the work raises, and HttpError 499 when `gone` aborts; work
   * that nobody waits for any more is aborted, and never the work that others wait for.
   */
  join(keys: readonly string[], gone: AbortSignal): Promise<ReadonlyMap<string, T>>
}

type Flight<T> = {
  readonly values: Promise<ReadonlyMap<string, T>>
  readonly abandon: () => void
  waiting: number
  hasLanded: boolean
}

export function createFlights<T>(): Flights<T> {
  const underWay = new Map<string, Flight<T>>()
  return {
    has: (key) => underWay.has(key),
    start(keys, work) {
      const controller = new AbortController()
      const land = () => {
        flight.hasLanded = true
        for (const key of keys) if (underWay.get(key) === flight) underWay.delete(key)
      }
      const values = work(controller.signal).then((list) => new Map(keys.map((key, at) => [key, list[at]!])))
      const flight: Flight<T> = {
        values,
        waiting: 0,
        hasLanded: false,
        abandon: () => {
          land()
          controller.abort()
        },
      }
      for (const key of keys) underWay.set(key, flight)
      values.then(land, land)
    },
    async join(keys, gone) {
      const flights = [...new Set(keys.map((key) => underWay.get(key)!))]
      const maps = await Promise.all(flights.map((flight) => waitFor(flight, gone)))
      return new Map(maps.flatMap((map) => [...map]).filter(([key]) => keys.includes(key)))
    },
  }
}

async function waitFor<T>(flight: Flight<T>, gone: AbortSignal): Promise<ReadonlyMap<string, T>> {
  const leaving = Promise.withResolvers<never>()
  const leave = () => leaving.reject(new HttpError(499, 'cancelled', 'the client has gone'))
  flight.waiting++
  if (gone.aborted) leave()
  gone.addEventListener('abort', leave)
  try {
    return await Promise.race([flight.values, leaving.promise])
  } finally {
    gone.removeEventListener('abort', leave)
    flight.waiting--
    if (flight.waiting === 0 && !flight.hasLanded) flight.abandon()
  }
}
