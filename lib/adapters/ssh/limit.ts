/** Runs work, at most so much at a time; the rest waits in the order it came. */
export type Limit = <T>(work: () => Promise<T>) => Promise<T>

/** A limit of `size` pieces of work at a time. */
export function createLimit(size: number): Limit {
  const waiting: (() => void)[] = []
  let running = 0
  return async (work) => {
    if (running < size) running++
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}

/**
 * As {@link createLimit}, for work that holds its place for its first part only: `leave` lets the next one begin, while what
 * called it goes on.
 */
export function createTurnstile(size: number): <T>(work: (leave: () => void) => Promise<T>) => Promise<T> {
  const limit = createLimit(size)
  return (work) =>
    new Promise((resolve, reject) => {
      const hold = () =>
        new Promise<void>((leave) => {
          work(leave).finally(leave).then(resolve, reject)
        })
      limit(hold).catch(reject)
    })
}
