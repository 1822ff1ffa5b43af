import { appendFileSync } from 'node:fs'
import { Index, ScalarKind } from 'usearch'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { Metric } from '../../domain/model.ts'
import { runNative } from '../process/thread-state.ts'
import { joinMatches, searchChosen } from './chosen-rows.ts'
import { type ExactMatches, searchExact } from './exact.ts'
import { checkGraphFile, type GraphShape } from './graph-file.ts'
import { checkGraphLinks } from './graph-links.ts'
import { METRIC_KINDS } from './scan.ts'

type Space = { readonly dimensions: number; readonly metric: Metric }

export type GraphOptions = {
  readonly k: number
  /** Length of the list of candidates while the graph is searched; at least k. */
  readonly expansion: number
}

/** A graph over rows, searched where its file lies in the page cache. */
export type Graph = {
  /**
   * As `searchExact` over `vectors`, the rows that the graph was built of: rows may be missed, scores are exact, and there
   * are always as many hits. Blocks the caller.
   */
  search(vectors: Float32Array, queries: Float32Array, options: GraphOptions): ExactMatches
  close(): void
}

/** Links of a node in the upper levels; twice as many in the lowest. */
const CONNECTIVITY = 16
const EXPANSION_WHEN_BUILT = 128
const ROWS_AT_ONCE = 4096
/** More than a disk can have left that had no room for the rest of a file. */
const PROBE_BYTES = 1 << 16
/** The best of the candidates, this many for each hit, are compared again in float32: bfloat16 moves no hit further. */
const COMPARED_AGAIN = 3

/**
 * Builds a hierarchical graph (HNSW) over `vectors` in one thread and writes it to `path`: the same rows give the same
 * bytes. Holds the graph and a copy of the vectors in half their bytes meanwhile. The caller fsyncs. Raises the system's
 * error, for example ENOSPC.
 */
export function buildGraph(vectors: Float32Array, space: Space, path: string): void {
  const { dimensions } = space
  const index = createIndex(space)
  const rows = vectors.length / dimensions
  for (let start = 0; start < rows; start += ROWS_AT_ONCE) {
    const end = Math.min(start + ROWS_AT_ONCE, rows)
    const keys = BigUint64Array.from({ length: end - start }, (_, row) => BigInt(start + row))
    runNative(() => index.add(keys, vectors.subarray(start * dimensions, end * dimensions), 1))
  }
  saveIndex(index, path, { ...space, items: rows })
}

/** Opens the graph that `buildGraph` wrote. Raises `corrupt` naming the file and what is wrong. */
export function openGraph(path: string, shape: GraphShape): Graph {
  const opened = createIndex(shape)
  let index: Index | undefined = opened
  if (shape.items > 0) {
    checkGraphLinks(path, checkGraphFile(path, shape))
    try {
      runNative(() => opened.view(path))
    } catch (error) {
      throw new LongshoreError('corrupt', `${path}: ${messageOf(error)}`, { cause: error })
    }
  }
  return {
    search: (vectors, queries, options) => {
      if (!index) throw new Error(`${path} is closed`)
      return searchIndex(index, { vectors, queries }, { ...shape, ...options })
    },
    // usearch gives the file back when the index is collected.
    close: () => {
      index = undefined
    },
  }
}

function saveIndex(index: Index, path: string, shape: GraphShape): void {
  try {
    runNative(() => index.save(path))
    // usearch doesn't notice when the last bytes were not written.
    if (shape.items > 0) checkGraphFile(path, shape)
  } catch (error) {
    // It doesn't tell the reason either; the system does when there is more to write.
    appendFileSync(path, Buffer.alloc(PROBE_BYTES))
    throw error
  }
}

function createIndex({ dimensions, metric }: Space): Index {
  const settings = {
    dimensions,
    metric: METRIC_KINDS[metric],
    quantization: ScalarKind.BF16,
    connectivity: CONNECTIVITY,
    expansion_add: EXPANSION_WHEN_BUILT,
    // usearch searches with the larger one of this and the number of hits wanted, which is told with each search.
    expansion_search: 1,
    multi: false,
  }
  return runNative(() => new Index(settings))
}

function searchIndex(
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
      if (wanted === 0) return searchExact(vectors, query, options)
      const found = runNative(() => index.search(query, wanted, 1))
      const nearest = found.keys.subarray(0, COMPARED_AGAIN * k)
      const candidates = Int32Array.from(nearest, Number).sort()
      // Where parts of the graph can't be reached, comparing all rows finds what is missing.
      if (candidates.length < perQuery) return searchExact(vectors, query, options)
      return searchChosen(vectors, candidates, query, options)
    }),
  )
}
