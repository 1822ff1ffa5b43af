/** A character of a key takes two bytes at most; the rest is a guess at what an entry takes besides. */
const BYTES_PER_CHARACTER = 2
const BYTES_PER_ENTRY = 200

/**
 * Values that are kept while their bytes fit, with those of their keys, for clients choose keys and values can be empty;
 * the ones that were not used for the longest time go first.
 */
export class KeptBytes<T> {
  readonly limit: number
  readonly #entries = new Map<string, { readonly value: T; readonly bytes: number }>()
  #bytes = 0

  constructor(limit: number) {
    this.limit = limit
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  /** Keeps a value of so many bytes, unless it is larger than all that may be kept. */
  set(key: string, value: T, valueBytes: number): void {
    const bytes = valueBytes + BYTES_PER_ENTRY + BYTES_PER_CHARACTER * key.length
    this.#remove(key)
    if (bytes > this.limit) return
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes + bytes <= this.limit) break
      this.#remove(oldest)
    }
    this.#entries.set(key, { value, bytes })
    this.#bytes += bytes
  }

  #remove(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0
    this.#entries.delete(key)
  }
}
