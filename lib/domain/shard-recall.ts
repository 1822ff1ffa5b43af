import { GOLDEN_K } from './golden.ts'
import { TIE } from './recall.ts'

/** What a query should find in one shard: `needed` of these rows, its ten nearest and those that tie with the tenth. */
export type Wanted = {
  readonly rows: ReadonlySet<number>
  readonly needed: number
  /** The row of the query itself, where the shard holds it: it is always found, and would flatter the measure. */
  readonly own: number | undefined
}

/** What a query should find in a shard, whose `exact` neighbours are given, best first, more than ten of them. */
export function wantedOf(
  exact: readonly { readonly row: number; readonly score: number }[],
  own: number | undefined,
): Wanted {
  const others = exact.filter(({ row }) => row !== own)
  const needed = Math.min(GOLDEN_K, others.length)
  const last = others[needed - 1]
  const rows = others.filter(({ score }) => last && score >= last.score - TIE).map(({ row }) => row)
  return { rows: new Set(rows), needed, own }
}

/**
 * Recall@10 of a shard: the share of what the queries should find, all together, among the rows that each of them found.
 * A list of candidates may be longer than ten: comparing them exactly puts those that are wanted first.
 */
export function measureShardRecall(
  wanted: readonly Wanted[],
  foundBy: (query: number) => Iterable<number>,
): number {
  let [all, reached] = [0, 0]
  for (const [query, { rows, needed }] of wanted.entries()) {
    let hits = 0
    for (const row of foundBy(query)) if (rows.has(row)) hits++
    all += needed
    reached += Math.min(needed, hits)
  }
  return all === 0 ? 1 : reached / all
}
