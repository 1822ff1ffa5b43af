import { type Kernel, QUERY_TILE, ROW_TILE, STRIDE, startKernel } from './kernel-code.ts'

const BYTES = 4
const BLOCK_BYTES = 1 << 20

/**
 * Compares blocks of rows with a fixed set of queries, many at a time, in one thread. Blocks are sized for the
 * processor's second-level cache. Products are summed in float32, with fused multiply-add where the processor has it.
 */
export class BlockScorer {
  /** Most rows that one block may have. */
  readonly capacity: number
  readonly #dimensions: number
  /** Floats from one row to the next: the dimensions, padded with zeros. */
  readonly #stride: number
  readonly #queries: number
  readonly #kernel: Kernel
  readonly #queriesAt: number
  readonly #productsAt: number
  readonly #normsAt: number
  #count = 0
  #isScored = false

  /** `queries` are [m, dimensions]; they are copied. */
  constructor(queries: Float32Array, dimensions: number) {
    const stride = roundUp(dimensions, STRIDE)
    const padded = roundUp(queries.length / dimensions, QUERY_TILE)
    this.capacity = Math.max(ROW_TILE, roundUp(Math.floor(BLOCK_BYTES / BYTES / stride), ROW_TILE))
    this.#dimensions = dimensions
    this.#stride = stride
    this.#queries = padded
    this.#queriesAt = this.capacity * stride
    this.#productsAt = this.#queriesAt + padded * stride
    this.#normsAt = this.#productsAt + padded * this.capacity
    this.#kernel = startKernel(this.#normsAt + this.capacity)
    this.#copyRows(queries, this.#queriesAt, queries.length / dimensions)
  }

  /** Copies the first rows of `rows` [n, dimensions] in, as many as fit, and returns how many. */
  load(rows: Float32Array): number {
    this.#count = Math.min(this.capacity, rows.length / this.#dimensions)
    this.#isScored = false
    this.#copyRows(rows, 0, this.#count)
    return this.#count
  }

  /** As `load`, with rows that `read` writes as bytes where it is told to; it returns how many bytes there were. */
  fill(read: (target: Uint8Array) => number): number {
    const length = this.capacity * this.#dimensions
    if (this.#stride !== this.#dimensions) {
      const rows = new Float32Array(length)
      return this.load(rows.subarray(0, read(new Uint8Array(rows.buffer)) / BYTES))
    }
    this.#count =
      read(new Uint8Array(this.#kernel.cells.buffer, 0, length * BYTES)) / BYTES / this.#dimensions
    this.#isScored = false
    return this.#count
  }

  /** Inner products of query `query` with every loaded row; valid until the next load. */
  productsOf(query: number): Float32Array {
    if (!this.#isScored) this.#score()
    const from = this.#productsAt + query * this.capacity
    return this.#kernel.cells.subarray(from, from + this.#count)
  }

  /** Squared norm of every loaded row; NaN or Infinity where a row is not finite (or overflows). */
  squaredNorms(): Float32Array {
    const bytesPerRow = this.#stride * BYTES
    const end = this.#count * bytesPerRow
    if (end > 0) this.#kernel.squares(0, end, 0, bytesPerRow, bytesPerRow, this.#normsAt * BYTES, BYTES)
    return this.#kernel.cells.subarray(this.#normsAt, this.#normsAt + this.#count)
  }

  #score(): void {
    const bytesPerRow = this.#stride * BYTES
    const end = this.#count * bytesPerRow
    for (let query = 0; query < this.#queries && end > 0; query += QUERY_TILE) {
      const from = this.#queriesAt * BYTES + query * bytesPerRow
      const to = (this.#productsAt + query * this.capacity) * BYTES
      this.#kernel.dots(0, end, from, 0, bytesPerRow, to, this.capacity * BYTES)
    }
    this.#isScored = true
  }

  #copyRows(from: Float32Array, at: number, count: number): void {
    const dimensions = this.#dimensions
    if (this.#stride === dimensions) {
      this.#kernel.cells.set(from.subarray(0, count * dimensions), at)
      return
    }
    for (let row = 0; row < count; row++) {
      this.#kernel.cells.set(from.subarray(row * dimensions, (row + 1) * dimensions), at + row * this.#stride)
    }
  }
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step
}
