import { setTimeout as wait } from 'node:timers/promises'
import { LongshoreError } from '../domain/errors.ts'
import type { StateStore } from '../ports/state-store.ts'
import type { FleetContext } from './context.ts'

const POLL_MS = 1000

/**
 * The same context, but where somebody else has the lock it is waited for, `seconds` at most, and said so once. Raises
 * `locked`, as without, when the time is over.
 */
export function waitForLock(context: FleetContext, seconds: number): FleetContext {
  const { state, reporter, signal } = context
  const acquire: StateStore['acquire'] = async (claim) => {
    const end = performance.now() + 1000 * seconds
    let isTold = false
    for (;;) {
      try {
        return await state.acquire(claim)
      } catch (error) {
        const left = end - performance.now()
        if (!(error instanceof LongshoreError) || error.kind !== 'locked' || left <= 0) throw error
        if (!isTold) reporter.note(`${error.message}; waiting for up to ${seconds} s`)
        isTold = true
        await wait(Math.min(POLL_MS, left), undefined, { signal })
      }
    }
  }
  // Methods of a store may be those of its class: what is not replaced is handed on.
  return { ...context, state: Object.assign(Object.create(state) as StateStore, { acquire }) }
}
