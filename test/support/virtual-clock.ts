import type { Clock } from '../../services/clock.ts'

export type VirtualClock = Clock & {
  /** Lets time pass; what is due runs in its order, and what that sets going runs too. */
  pass(milliseconds: number): Promise<void>
}

type Timer = { readonly due: number; readonly run: () => void }

/** A clock that stands still until it is turned. */
export function createVirtualClock(): VirtualClock {
  let time = 0
  let timers: Timer[] = []
  const findNext = (until: number) =>
    timers
      .filter(({ due }) => due <= until)
      .reduce<Timer | undefined>(
        (first, timer) => (first && first.due <= timer.due ? first : timer),
        undefined,
      )
  return {
    now: () => time,
    after(milliseconds, run) {
      const timer = { due: time + milliseconds, run }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    async pass(milliseconds) {
      const until = time + milliseconds
      await settlePromises()
      for (let next = findNext(until); next; next = findNext(until)) {
        const { due, run } = next
        timers = timers.filter((timer) => timer !== next)
        time = due
        run()
        await settlePromises()
      }
      time = until
    },
  }
}

function settlePromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
