import { test } from 'uvu'

export type Register = (name: string, check: () => Promise<void>) => void

/**
 * Registers tests as uvu's `test` does, but once the first one runs, so many are at work at a time: for subjects that
 * keep each other out of nothing, and whose tests mostly wait.
 */
export function sideBySide(atOnce: number): Register {
  const waiting: (() => Promise<void>)[] = []
  let isBegun = false
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await next()
  }
  return (name, check) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    waiting.push(() => check().then(resolve, reject))
    // It may fail before its turn to be told comes.
    promise.catch(() => undefined)
    test(name, async () => {
      if (!isBegun) for (let one = 0; one < atOnce; one++) void work()
      isBegun = true
      await promise
    })
  }
}
