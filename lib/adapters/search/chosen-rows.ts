import { type ExactMatches, type ExactOptions, searchExact } from './exact.ts'

/** Rows that are copied together and compared before the next ones are; bounds the memory of a search. */
const MOST_COPIED = 4096

/** Where rows are copied to. A thread needs one: nothing else runs while it compares. */
let copied = new Float32Array(0)

type Hit = { readonly row: number; readonly score: number }

/**
 * The k best of the chosen `rows` (ascending) of `vectors` for each query, compared in float32: the same scores as
 * `searchExact` gives them, ties by row. `perQuery` is min(k, rows). Blocks the caller.
 */
export function searchChosen(
  vectors: Float32Array,
  rows: Int32Array | Uint32Array,
  queries: Float32Array,
  options: ExactOptions,
): ExactMatches {
  const { dimensions, k } = options
  const perQuery = Math.min(k, rows.length)
  const room = Math.min(rows.length, MOST_COPIED) * dimensions
  if (copied.length < room) copied = new Float32Array(room)
  const best = Array.from({ length: queries.length / dimensions }, (): Hit[] => [])
  for (let start = 0; start < rows.length; start += MOST_COPIED) {
    const part = rows.subarray(start, start + MOST_COPIED)
    for (const [index, row] of part.entries()) {
      copied.set(vectors.subarray(row * dimensions, (row + 1) * dimensions), index * dimensions)
    }
    const found = searchExact(copied.subarray(0, part.length * dimensions), queries, options)
    for (const [at, index] of found.rows.entries()) {
      best[Math.floor(at / found.perQuery)]!.push({ row: part[index]!, score: found.scores[at]! })
    }
    for (const hits of best) hits.sort((a, b) => b.score - a.score || a.row - b.row).splice(perQuery)
  }
  const hits = best.flat()
  return {
    rows: Int32Array.from(hits, ({ row }) => row),
    scores: Float32Array.from(hits, ({ score }) => score),
    perQuery,
  }
}

/** Matches of several queries as one; each has the same number of hits. */
export function joinMatches(matches: readonly ExactMatches[]): ExactMatches {
  const perQuery = matches[0]?.perQuery ?? 0
  const rows = new Int32Array(matches.length * perQuery)
  const scores = new Float32Array(rows.length)
  for (const [query, match] of matches.entries()) {
    rows.set(match.rows, query * perQuery)
    scores.set(match.scores, query * perQuery)
  }
  return { rows, scores, perQuery }
}
