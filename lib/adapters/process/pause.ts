import { setTimeout as wait } from 'node:timers/promises'

/** Waits some milliseconds. Raises the reason of `signal` as soon as it aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => signal.throwIfAborted())
}
