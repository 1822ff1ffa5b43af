/** Answers that were found before, as JSON by key. */
export type AnswerCache = {
  get(key: string): string | undefined
  set(key: string, json: string): void
  size(): { readonly entries: number; readonly bytes: number }
}

export type CacheLimits = { readonly entries: number; readonly bytes: number }

/** A character of a string takes two bytes at most; the rest is a guess at what an entry takes besides. */
const BYTES_PER_CHARACTER = 2
const BYTES_PER_ENTRY = 200

/** A cache that forgets what was not asked for longest; it keeps within both limits, and an answer beyond them out. */
export function createAnswerCache(limits: CacheLimits): AnswerCache {
  /** In the order of their last use. */
  const known = new Map<string, string>()
  let bytes = 0
  const forget = (key: string) => {
    const json = known.get(key)
    if (json === undefined) return
    known.delete(key)
    bytes -= measure(key, json)
  }
  return {
    get(key) {
      const json = known.get(key)
      if (json === undefined) return undefined
      known.delete(key)
      known.set(key, json)
      return json
    },
    set(key, json) {
      forget(key)
      if (limits.entries < 1 || measure(key, json) > limits.bytes) return
      known.set(key, json)
      bytes += measure(key, json)
      for (const [oldest] of known) {
        if (known.size <= limits.entries && bytes <= limits.bytes) break
        forget(oldest)
      }
    },
    size: () => ({ entries: known.size, bytes }),
  }
}

function measure(key: string, json: string): number {
  return BYTES_PER_ENTRY + BYTES_PER_CHARACTER * (key.length + json.length)
}
