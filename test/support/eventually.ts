import { setTimeout as wait } from 'node:timers/promises'

/** Runs `check` until it stops throwing, and resolves to what it returns; raises its last error at the deadline. */
export async function eventually<T>(check: () => T | Promise<T>, deadlineMs = 10_000): Promise<T> {
  const end = performance.now() + deadlineMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > end) throw error
      await wait(20)
    }
  }
}
