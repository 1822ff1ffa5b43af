import type { Thread } from '../../lib/adapters/generations/thread.ts'
import { messageOf } from '../../lib/domain/errors.ts'
import type { Log } from '../http/log.ts'
import { type Demand, type Errand, findErrand } from './demand.ts'
import type { SearchHandlers } from './search-worker.ts'

/** A thread that searches, and the generations that it is prepared for. */
export type Seat = {
  readonly thread: Pick<Thread<SearchHandlers>, 'call'>
  readonly prepared: Set<string>
}

export type Seats = {
  /** Gives all idle threads something to do, if there is anything. */
  proceed(): void
  /** Threads that are prepared for each generation. */
  prepared(): ReadonlyMap<string, number>
}

export type SeatsOptions = {
  readonly demand: Demand
  readonly log: Log
  /** What a thread may search next; never rejects. */
  readonly findSearch: (seat: Seat) => (() => Promise<void>) | undefined
}

/**
 * Lets threads search, and prepare for the generations that are asked or rest from others before they do: one thread at a
 * time is on such an errand, while the others search.
 */
export function createSeats(seats: readonly Seat[], { demand, log, findSearch }: SeatsOptions): Seats {
  const idle = [...seats]
  let isOnErrand = false

  const proceed = (): void => {
    for (const seat of idle.toReversed()) {
      const work = findWork(seat)
      if (!work) continue
      idle.splice(idle.indexOf(seat), 1)
      void work().then(() => {
        idle.push(seat)
        proceed()
      })
    }
  }
  const findWork = (seat: Seat): (() => Promise<void>) | undefined => {
    const errand = isOnErrand ? undefined : findErrand(seat.prepared, demand)
    return errand ? () => run(seat, errand) : findSearch(seat)
  }
  const run = async ({ thread, prepared }: Seat, { name, generation }: Errand): Promise<void> => {
    isOnErrand = true
    try {
      await thread.call(name, generation)
    } catch (error) {
      // A thread that is not prepared tries again with the next search, whose request is told of it.
      log('errand-failed', { name, generation, message: messageOf(error) })
    }
    if (name === 'prepare') prepared.add(generation)
    else prepared.delete(generation)
    isOnErrand = false
  }
  return { proceed, prepared: () => countPrepared(seats) }
}

function countPrepared(seats: readonly Seat[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const generation of seats.flatMap(({ prepared }) => [...prepared])) {
    counts.set(generation, (counts.get(generation) ?? 0) + 1)
  }
  return counts
}
