import type { Index } from 'usearch'
import { runNative } from '../process/thread-state.ts'
import { joinMatches, searchChosen } from './chosen-rows.ts'
import { type ExactMatches, searchExact } from './exact.ts'
import type { GraphShape } from './graph-file.ts'

export type GraphOptions = {
  readonly k: number
  /** Length of the list of candidates while the graph is searched; at least k. */
  readonly expansion: number
}

/** The best of the candidates, this many for each hit, are compared again in float32: bfloat16 moves no hit further. */
const COMPARED_AGAIN = 3

/** The best k rows of each query among those that usearch meets in the graph of `vectors`. Blocks the caller. */
export function searchAlong(
  index: Index,
  { vectors, queries }: { readonly vectors: Float32Array; readonly queries: Float32Array },
  { dimensions, metric, items, k, expansion }: GraphShape & GraphOptions,
): ExactMatches {
  const wanted = Math.min(items, Math.max(k, expansion))
  const perQuery = Math.min(items, k)
  return joinMatches(
    Array.from({ length: queries.length / dimensions }, (_, number) => {
      const query = queries.subarray(number * dimensions, (number + 1) * dimensions)
      const options = { dimensions, metric, k }
      const found = runNative(() => index.search(query, wanted, 1))
      const nearest = found.keys.subarray(0, COMPARED_AGAIN * k)
      const candidates = Int32Array.from(nearest, Number).sort()
      // Where parts of the graph can't be reached, comparing all rows finds what is missing.
      if (candidates.length < perQuery) return searchExact(vectors, query, options)
      return searchChosen(vectors, candidates, query, options)
    }),
  )
}
