import { assembleKernel, QUERY_TILE, ROW_TILE, STRIDE } from './kernel-code.ts'

const BYTES = 4
const PAGE = 65536
const BLOCK_BYTES = 1 << 20

type Kernel = (rows: number, queries: number, bytesPerRow: number, out: number, outStride: number) => void

/** Compares blocks of rows with a fixed set of queries, many at a time, in one thread. */
export type BlockScorer = {
  /** Most rows that one block may have. */
  readonly capacity: number
  /** Copies the first rows of `rows` [n, dimensions] in, as many as fit, and returns how many. */
  load(rows: Float32Array): number
  /** Inner products of query `query` with every loaded row; valid until the next load. */
  productsOf(query: number): Float32Array
  /** Squared norm of every loaded row; NaN or Infinity where a row is not finite (or overflows). */
  squaredNorms(): Float32Array
}

const kernel = assembleKernel()

/**
 * A scorer for `queries` [m, dimensions]. Blocks are sized for the processor's second-level cache. Products are summed
 * in float32 with fused multiply-add where the processor has it.
 */
export function createBlockScorer(queries: Float32Array, dimensions: number): BlockScorer {
  const stride = roundUp(dimensions, STRIDE)
  const queryCount = queries.length / dimensions
  const paddedQueries = roundUp(queryCount, QUERY_TILE)
  const capacity = Math.max(ROW_TILE, roundUp(Math.floor(BLOCK_BYTES / BYTES / stride), ROW_TILE))
  const floats = (capacity + paddedQueries) * stride + (paddedQueries + 1) * capacity
  const memory = new WebAssembly.Memory({ initial: Math.ceil((floats * BYTES) / PAGE) })
  const { dots, dot } = new WebAssembly.Instance(kernel, { env: { memory } }).exports as Record<
    string,
    Kernel
  >
  const cells = new Float32Array(memory.buffer)
  const queriesAt = capacity * stride
  const productsAt = queriesAt + paddedQueries * stride
  const normsAt = productsAt + paddedQueries * capacity
  copyRows(queries, cells.subarray(queriesAt), { count: queryCount, dimensions, stride })

  const bytesPerRow = stride * BYTES
  let count = 0
  let isScored = false
  const score = () => {
    for (let query = 0; query < paddedQueries; query += QUERY_TILE) {
      const from = (queriesAt + query * stride) * BYTES
      const to = (productsAt + query * capacity) * BYTES
      for (let row = 0; row < count; row += ROW_TILE) {
        dots!(row * bytesPerRow, from, bytesPerRow, to + row * BYTES, capacity * BYTES)
      }
    }
    isScored = true
  }
  return {
    capacity,
    load(rows) {
      count = Math.min(capacity, rows.length / dimensions)
      isScored = false
      copyRows(rows, cells, { count, dimensions, stride })
      return count
    },
    productsOf(query) {
      if (!isScored) score()
      const from = productsAt + query * capacity
      return cells.subarray(from, from + count)
    },
    squaredNorms() {
      for (let row = 0; row < count; row++) {
        const at = row * bytesPerRow
        dot!(at, at, bytesPerRow, (normsAt + row) * BYTES, BYTES)
      }
      return cells.subarray(normsAt, normsAt + count)
    },
  }
}

function copyRows(
  from: Float32Array,
  to: Float32Array,
  { count, dimensions, stride }: { count: number; dimensions: number; stride: number },
): void {
  if (stride === dimensions) {
    to.set(from.subarray(0, count * dimensions))
    return
  }
  for (let row = 0; row < count; row++) {
    to.set(from.subarray(row * dimensions, (row + 1) * dimensions), row * stride)
  }
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step
}
