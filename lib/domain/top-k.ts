type Scored = { readonly id: string; readonly score: number }

/** Whether a comes before b: higher scores first, equal ones by id, so that the order never depends on who answered first. */
export function compareHits(a: Scored, b: Scored): number {
  if (a.score !== b.score) return b.score - a.score
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

/** The k best of several lists of hits. */
export function mergeTopK<T extends Scored>(lists: readonly (readonly T[])[], k: number): T[] {
  return lists.flat().sort(compareHits).slice(0, k)
}
