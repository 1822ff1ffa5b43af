const PARTS = 256

/**
 * Entries of `words` words each, ordered by the uppermost byte of their first: a table whose slots have that order then
 * takes them part by part, and the processor's cache holds such a part.
 */
export function partitionHashes(entries: Uint32Array, words: number): Uint32Array {
  const nexts = new Uint32Array(PARTS)
  for (let at = 0; at < entries.length; at += words) nexts[entries[at]! >>> 24]!++
  let start = 0
  for (let part = 0; part < PARTS; part++) {
    const size = nexts[part]!
    nexts[part] = start
    start += size
  }
  const ordered = new Uint32Array(entries.length)
  for (let at = 0; at < entries.length; at += words) {
    const to = nexts[entries[at]! >>> 24]!++ * words
    for (let word = 0; word < words; word++) ordered[to + word] = entries[at + word]!
  }
  return ordered
}
