export type Settled<T, R> = {
  readonly item: T
  readonly result: PromiseSettledResult<R>
}

/** Works on all items, at most `limit` at a time, and waits for every one of them however the others end. */
export async function settleAll<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<Settled<T, R>[]> {
  const settled: Settled<T, R>[] = []
  const waiting = items.entries()
  const takeTurns = async () => {
    for (const [index, item] of waiting) {
      const [result] = await Promise.allSettled([work(item)])
      settled[index] = { item, result }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, takeTurns))
  return settled
}
