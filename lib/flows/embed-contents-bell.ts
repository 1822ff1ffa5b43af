import type { Clock } from './embed-contents-clock.ts'

/** Wakes the one who waits for anything to happen. */
export class Bell {
  private readonly clock: Clock
  private isRung = false
  private wake: (() => void) | undefined

  constructor(clock: Clock) {
    this.clock = clock
  }

  ring(): void {
    this.isRung = true
    this.wake?.()
  }

  /** Until it is rung, also since the last time that somebody waited, or time has passed. */
  async wait(ms?: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = ms === undefined || this.isRung ? undefined : this.clock.after(ms, resolve)
    this.wake = resolve
    if (this.isRung) resolve()
    await promise
    cancel?.()
    this.isRung = false
  }
}
