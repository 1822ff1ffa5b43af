/** A repeatable source of numbers in [0, 1) with 32 random bits each: mulberry32 by Tommy Ettinger (public domain). */
export function createRandom(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** `count` different numbers below `total`, in ascending order; all of them when there are no more. Floyd's algorithm. */
export function sampleNumbers(total: number, count: number, random: () => number): number[] {
  const chosen = new Set<number>()
  for (let upper = Math.max(0, total - count); upper < total; upper++) {
    const candidate = Math.floor(random() * (upper + 1))
    chosen.add(chosen.has(candidate) ? upper : candidate)
  }
  return [...chosen].sort((a, b) => a - b)
}

/** The same in another order, each order with the same chance (Durstenfeld 1964). */
export function shuffle<T>(list: readonly T[], random: () => number): T[] {
  const shuffled = [...list]
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const moved = shuffled[last]!
    shuffled[last] = shuffled[other]!
    shuffled[other] = moved
  }
  return shuffled
}
