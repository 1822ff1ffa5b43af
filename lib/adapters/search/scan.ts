import koffi from 'koffi'
import { exactSearch, MetricKind } from 'usearch'
import type { Metric } from '../../domain/model.ts'
import { runNative } from '../process/thread-state.ts'

export const METRIC_KINDS: Record<Metric, MetricKind> = {
  cosine: MetricKind.Cos,
  dot: MetricKind.IP,
  l2: MetricKind.L2sq,
}

/** Rows or queries [n, dimensions], row-major. */
export type Matrix = Float32Array | Int8Array

export type ScanOptions = {
  readonly dimensions: number
  readonly metric: Metric
  readonly k: number
  readonly threads?: number
}

/** The nearest rows of each query, query-major, nearest first, ties by row. */
export type Nearest = {
  readonly rows: Int32Array
  /** As usearch tells them: 1 - similarity, or the squared distance. */
  readonly distances: Float32Array
  readonly perQuery: number
}

type Found = { readonly keys: BigUint64Array; readonly distances: Float32Array }

/** usearch notes all distances of a call (16 bytes each); blocks bound that, and keep it in the processor's cache. */
const BLOCK_ROWS = 16_384

const knownBlocks = new WeakMap<Matrix, { readonly length: number; readonly blocks: readonly Matrix[] }>()
/** The dataset of each block: its memory must last as long as the block is in use. */
const owners = new WeakMap<Matrix, Matrix>()

/**
 * The k rows of `dataset` that are nearest to each of `queries`, by comparing all of them; both hold numbers of the same
 * type. Blocks the caller. `perQuery` is min(k, n).
 */
export function scanRows(dataset: Matrix, queries: Matrix, options: ScanOptions): Nearest {
  const { dimensions, metric, threads = 1 } = options
  const perQuery = Math.min(options.k, dataset.length / dimensions)
  const count = queries.length / dimensions
  const rows = new Int32Array(count * perQuery)
  const distances = new Float32Array(count * perQuery)
  if (rows.length === 0) return { rows, distances, perQuery }
  const aligned = queries.byteOffset === 0 ? queries : queries.slice()
  const blocks = blocksOf(dataset, BLOCK_ROWS * dimensions)
  const found = blocks.map((block): Found => {
    const k = Math.min(perQuery, block.length / dimensions)
    return runNative(() => exactSearch(block, aligned, dimensions, k, METRIC_KINDS[metric], threads))
  })
  for (let query = 0; query < count; query++) {
    const best = mergeBlocks(found, query, count).slice(0, perQuery)
    for (const [rank, { row, distance }] of best.entries()) {
      rows[query * perQuery + rank] = row
      distances[query * perQuery + rank] = distance
    }
  }
  return { rows, distances, perQuery }
}

function mergeBlocks(found: readonly Found[], query: number, queries: number) {
  const all: { row: number; distance: number }[] = []
  for (const [block, { keys, distances }] of found.entries()) {
    const each = keys.length / queries
    for (let at = query * each; at < (query + 1) * each; at++) {
      all.push({ row: block * BLOCK_ROWS + Number(keys[at]), distance: distances[at]! })
    }
  }
  return all.sort((a, b) => a.distance - b.distance || a.row - b.row)
}

/** The dataset in pieces that each begin where their buffer does: usearch reads a buffer from there (seen in 2.25.3). */
function blocksOf(dataset: Matrix, length: number): readonly Matrix[] {
  if (dataset.byteOffset === 0 && dataset.length <= length) return [dataset]
  const known = knownBlocks.get(dataset)
  if (known?.length === length) return known.blocks
  const address = koffi.address(dataset)
  const bytes = dataset.BYTES_PER_ELEMENT
  const blocks: Matrix[] = []
  for (let at = 0; at < dataset.length; at += length) {
    const size = Math.min(length, dataset.length - at) * bytes
    const memory = koffi.view(address + BigInt(at * bytes), size)
    const block = dataset instanceof Int8Array ? new Int8Array(memory) : new Float32Array(memory)
    owners.set(block, dataset)
    blocks.push(block)
  }
  knownBlocks.set(dataset, { length, blocks })
  return blocks
}
