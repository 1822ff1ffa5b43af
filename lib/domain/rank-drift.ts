/** How far two answers to one query are from each other. Neither is taken to be the better one. */
export type RankDrift = {
  /** Share of the first k that both have. */
  readonly overlap: number
  /** Rank-biased overlap (Webber, Moffat and Zobel 2010, extrapolated): 1 for equal lists, weighing the top most. */
  readonly rbo: number
  /** Kendall's tau over the items that both have: 1 in the same order, -1 in the reverse; undefined for fewer than two. */
  readonly tau: number | undefined
}

/** Persistence of RBO: the first ten ranks carry 86 of 100 parts of its weight. */
const PERSISTENCE = 0.9

/** Compares the first `k` ids of two answers, each without repetitions. */
export function measureDrift(before: readonly string[], after: readonly string[], k: number): RankDrift {
  const [a, b] = [before.slice(0, k), after.slice(0, k)]
  const inAfter = new Map(b.map((id, rank) => [id, rank]))
  const common = a.flatMap((id) => inAfter.get(id) ?? [])
  const depth = Math.max(a.length, b.length)
  return {
    overlap: depth === 0 ? 1 : common.length / depth,
    rbo: measureOverlap(a, b),
    tau: common.length < 2 ? undefined : countOrder(common),
  }
}

/** Equation 32 of the paper for lists of equal length, and its equation 30 where one is shorter. */
function measureOverlap(a: readonly string[], b: readonly string[]): number {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a]
  if (long.length === 0) return 1
  if (short.length === 0) return 0
  const [inShort, inLong] = [new Set<string>(), new Set<string>()]
  let [agreed, atShort, sum] = [0, 0, 0]
  for (let depth = 1; depth <= long.length; depth++) {
    const [one, other] = [short[depth - 1], long[depth - 1]!]
    inLong.add(other)
    if (one !== undefined) inShort.add(one)
    if (one === other) agreed++
    else agreed += Number(inShort.has(other)) + Number(one !== undefined && inLong.has(one))
    if (depth === short.length) atShort = agreed
    const beyond = depth > short.length ? (atShort * (depth - short.length)) / (short.length * depth) : 0
    sum += (agreed / depth + beyond) * PERSISTENCE ** depth
  }
  const rest = (agreed - atShort) / long.length + atShort / short.length
  return ((1 - PERSISTENCE) / PERSISTENCE) * sum + rest * PERSISTENCE ** long.length
}

/** Concordant less discordant pairs, over all pairs. */
function countOrder(ranks: readonly number[]): number {
  let balance = 0
  for (let one = 0; one < ranks.length; one++) {
    for (let other = one + 1; other < ranks.length; other++) balance += Math.sign(ranks[other]! - ranks[one]!)
  }
  return balance / ((ranks.length * (ranks.length - 1)) / 2)
}
