import { LongshoreError, messageOf } from '../domain/errors.ts'

/** What came of some work, or why nothing did. */
export type Attempt<T> =
  | { readonly value: T }
  | { readonly problem: string; readonly hint: string | undefined }

export type AttemptOptions = {
  /** Aborts when the operator interrupts: that alone is raised. */
  readonly signal: AbortSignal
  readonly limitMs: number
}

/** Tries some work for so long. A failure is a result: one part that cannot be asked must not hide what others say. */
export async function attempt<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { signal, limitMs }: AttemptOptions,
): Promise<Attempt<T>> {
  signal.throwIfAborted()
  try {
    return {
      value: await withinTime((limited) => Promise.race([work(limited), raiseReason(limited)]), {
        signal,
        limitMs,
      }),
    }
  } catch (error) {
    signal.throwIfAborted()
    return { problem: messageOf(error), hint: error instanceof LongshoreError ? error.hint : undefined }
  }
}

/** Does work that knows by itself what to do when the signal that it is given aborts: at the limit, or by `signal`. */
export async function withinTime<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { signal, limitMs }: AttemptOptions,
): Promise<T> {
  const limit = new AbortController()
  const late = new LongshoreError('remote', `no answer within ${Math.round(limitMs / 1000)} s`)
  const timer = setTimeout(() => limit.abort(late), limitMs)
  try {
    return await work(AbortSignal.any([signal, limit.signal]))
  } finally {
    clearTimeout(timer)
  }
}

function raiseReason(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
