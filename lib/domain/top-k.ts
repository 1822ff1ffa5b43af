type Scored = { readonly id: string; readonly score: number }
type Described = Scored & { readonly item: { readonly text?: string } }

/** The best hits of one shard; `isCut` when it may hold more that come after the last one. */
export type ShardList<T> = { readonly hits: readonly T[]; readonly isCut: boolean }

/** Whether a comes before b: higher scores first, equal ones by id, so that the order never depends on who answered first. */
export function compareHits(a: Scored, b: Scored): number {
  if (a.score !== b.score) return b.score - a.score
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

/**
 * The k best of several lists of hits. An item that several clusters hold counts once, as the list answered that stands
 * first among those with its best score.
 */
export function mergeTopK<T extends Scored>(lists: readonly (readonly T[])[], k: number): T[] {
  return keepFirst(lists.flat().sort(compareHits), (hit) => hit.id).slice(0, k)
}

/**
 * The k best hits of which no two have the same text; those without a text all stay. Behind the last hit of a list that
 * is cut there may be better ones than those told: `hits` ends there, and `short` names the lists, by position, of which
 * more must be known before the k best are certain.
 */
export function mergeDistinct<T extends Described>(
  lists: readonly ShardList<T>[],
  k: number,
): { readonly hits: T[]; readonly short: readonly number[] } {
  const merged = mergeTopK(
    lists.map(({ hits }) => hits),
    Number.POSITIVE_INFINITY,
  )
  const best = keepFirst(merged, nameOf).slice(0, k)
  const last = best.length < k ? undefined : best.at(-1)
  const ends = lists.map(({ hits, isCut }) => (isCut ? hits.at(-1) : undefined))
  const isShort = (end: T | undefined) => end !== undefined && (!last || compareHits(end, last) < 0)
  const short = [...lists.keys()].filter((list) => isShort(ends[list]))
  const isCertain = (hit: T) => short.every((list) => compareHits(hit, ends[list]!) <= 0)
  return { hits: best.filter(isCertain), short }
}

function nameOf({ id, item }: Described): string {
  return item.text === undefined ? `i${id}` : `t${item.text}`
}

function keepFirst<T>(hits: readonly T[], nameOf: (hit: T) => string): T[] {
  const seen = new Set<string>()
  return hits.filter((hit) => {
    const name = nameOf(hit)
    return !seen.has(name) && seen.add(name)
  })
}
