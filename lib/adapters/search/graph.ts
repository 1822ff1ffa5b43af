import { appendFileSync } from 'node:fs'
import { Index, ScalarKind } from 'usearch'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { Metric } from '../../domain/model.ts'
import { giveMemoryBack } from '../process/give-back.ts'
import { runNative } from '../process/thread-state.ts'
import { type ExactMatches, searchExact } from './exact.ts'
import { checkGraphFile, type GraphShape } from './graph-file.ts'
import { checkGraphLinks } from './graph-links.ts'
import { type GraphOptions, searchAlong } from './graph-search.ts'
import { type HeldFile, holdFile } from './held-file.ts'
import { METRIC_KINDS } from './scan.ts'

type Space = { readonly dimensions: number; readonly metric: Metric }

/** A graph over rows, searched where its file lies in the page cache. */
export type Graph = {
  /**
   * As `searchExact` over `vectors`, the rows that the graph was built of: rows may be missed, scores are exact, and there
   * are always as many hits. Blocks the caller.
   */
  search(vectors: Float32Array, queries: Float32Array, options: GraphOptions): ExactMatches
  /** Makes the tables that `search` would make first where there are none. Blocks the caller, some 150 ns for each row. */
  prepare(): void
  /** Gives the memory of its tables back, 70 to 100 bytes for each row; the file stays open. */
  rest(): Promise<void>
  close(): void
}

/** Links of a node in the upper levels; twice as many in the lowest. */
const CONNECTIVITY = 16
const EXPANSION_WHEN_BUILT = 128
const ROWS_AT_ONCE = 4096
/** More than a disk can have left that had no room for the rest of a file. */
const PROBE_BYTES = 1 << 16

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

/**
 * Opens the graph that `buildGraph` wrote, prepared to be searched. Its file is checked once and held: what is searched
 * after a rest are the same bytes. Raises `corrupt` naming the file and what is wrong.
 */
export function openGraph(path: string, shape: GraphShape): Graph {
  if (shape.items === 0) return openNothing(shape)
  const file = holdFile(path)
  try {
    checkGraphLinks(file, checkGraphFile(file, shape))
    return viewGraph(file, shape)
  } catch (error) {
    file.close()
    throw error
  }
}

function viewGraph(file: HeldFile, shape: GraphShape): Graph {
  let isOpen = true
  let index: Index | undefined = viewIndex(file, shape)
  return {
    search: (vectors, queries, options) => {
      if (!isOpen) throw new Error(`${file.path} is closed`)
      index ??= viewIndex(file, shape)
      return searchAlong(index, { vectors, queries }, { ...shape, ...options })
    },
    prepare: () => {
      index ??= viewIndex(file, shape)
    },
    rest: async () => {
      if (!index) return
      index = undefined
      await giveMemoryBack()
    },
    // usearch gives the file back when the index is collected.
    close: () => {
      if (isOpen) file.close()
      isOpen = false
      index = undefined
    },
  }
}

function openNothing(shape: GraphShape): Graph {
  return {
    search: (vectors, queries, { k }) => searchExact(vectors, queries, { ...shape, k }),
    prepare: () => undefined,
    rest: async () => undefined,
    close: () => undefined,
  }
}

function viewIndex({ path, place }: HeldFile, shape: GraphShape): Index {
  const index = createIndex(shape)
  try {
    runNative(() => index.view(place))
    return index
  } catch (error) {
    throw new LongshoreError('corrupt', `${path}: ${messageOf(error)}`, { cause: error })
  }
}

function saveIndex(index: Index, path: string, shape: GraphShape): void {
  try {
    runNative(() => index.save(path))
    // usearch doesn't notice when the last bytes were not written.
    if (shape.items > 0) checkSaved(path, shape)
  } catch (error) {
    // It doesn't tell the reason either; the system does when there is more to write.
    appendFileSync(path, Buffer.alloc(PROBE_BYTES))
    throw error
  }
}

function checkSaved(path: string, shape: GraphShape): void {
  const file = holdFile(path)
  try {
    checkGraphFile(file, shape)
  } finally {
    file.close()
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
