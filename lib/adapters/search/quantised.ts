import { joinMatches, searchChosen } from './chosen-rows.ts'
import { quantise, scaleFor } from './codes.ts'
import type { ExactMatches, ExactOptions } from './exact.ts'
import { scanRows } from './scan.ts'

export type QuantisedRows = {
  /** Row-major [n, dimensions] */
  readonly vectors: Float32Array
  /** The same rows as `quantise` writes them. */
  readonly codes: Int8Array
  readonly scale: number
}

export type QuantisedOptions = ExactOptions & {
  /** How many rows per query, the best by their codes, are compared again in float32; at least k are. */
  readonly candidates: number
}

/** Queries [m, dimensions] as they are compared with codes of this scale. */
export function quantiseQueries(
  queries: Float32Array,
  scale: number,
  { dimensions, metric }: Pick<ExactOptions, 'dimensions' | 'metric'>,
): Int8Array {
  const codes = new Int8Array(queries.length)
  for (let at = 0; at < queries.length; at += dimensions) {
    const query = queries.subarray(at, at + dimensions)
    // Without distances the length of a query does not matter, so it gets the finest scale of its own.
    quantise(query, metric === 'l2' ? scale : scaleFor(query), codes.subarray(at, at + dimensions))
  }
  return codes
}

/**
 * As `searchExact`, but comparing only the best `candidates` by their codes in float32: rows may be missed, scores are
 * exact. Blocks the caller.
 */
export function searchQuantised(
  { vectors, codes, scale }: QuantisedRows,
  queries: Float32Array,
  options: QuantisedOptions,
): ExactMatches {
  const { dimensions, k } = options
  const asked = quantiseQueries(queries, scale, options)
  const { rows, perQuery } = scanRows(codes, asked, { ...options, k: Math.max(k, options.candidates) })
  return joinMatches(
    Array.from({ length: queries.length / dimensions }, (_, query) => {
      const candidates = rows.slice(query * perQuery, (query + 1) * perQuery).sort()
      return searchChosen(
        vectors,
        candidates,
        queries.subarray(query * dimensions, (query + 1) * dimensions),
        options,
      )
    }),
  )
}
