/**
 * Works on all items in order, at most `limit` at a time. The first failure aborts the rest, which is waited for; then
 * it is raised.
 */
export async function takeTurns<T>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  const waiting = items.values()
  const workOn = async () => {
    try {
      for (const item of waiting) {
        signal.throwIfAborted()
        if (!failed.signal.aborted) await work(item, either)
      }
    } catch (error) {
      failed.abort(error)
    }
  }
  await Promise.all(Array.from({ length: limit }, workOn))
  failed.signal.throwIfAborted()
}
