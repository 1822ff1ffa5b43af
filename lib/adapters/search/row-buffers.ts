import { type Kernel, STRIDE, startKernel } from './kernel-code.ts'

const BYTES = 4

/** Several buffers of rows that wait to be written, in one memory where their norms are computed in place. */
export class RowBuffers {
  /** Most rows that each buffer holds. */
  readonly capacity: number
  readonly #dimensions: number
  /** Floats from one row to the next: the dimensions, padded with zeros. */
  readonly #stride: number
  readonly #normsAt: number
  readonly #kernel: Kernel
  /** The kernel's memory as bytes. */
  readonly #bytes: Buffer

  constructor({ buffers, capacity, dimensions }: { buffers: number; capacity: number; dimensions: number }) {
    this.capacity = capacity
    this.#dimensions = dimensions
    this.#stride = Math.ceil(dimensions / STRIDE) * STRIDE
    this.#normsAt = buffers * capacity * this.#stride
    this.#kernel = startKernel(this.#normsAt + capacity)
    this.#bytes = Buffer.from(this.#kernel.cells.buffer)
  }

  /** Copies the row whose float32 values begin at `at` in `rows` to a place in a buffer. */
  put(buffer: number, place: number, rows: Buffer, at: number): void {
    rows.copy(this.#bytes, this.#locate(buffer, place) * BYTES, at, at + this.#dimensions * BYTES)
  }

  /** Squared norms of the first `count` rows; NaN or Infinity where a row is not finite. Valid until the next call. */
  squaredNorms(buffer: number, count: number): Float32Array {
    const rows = this.#locate(buffer, 0) * BYTES
    const bytesPerRow = this.#stride * BYTES
    const out = this.#normsAt * BYTES
    if (count > 0)
      this.#kernel.squares(rows, rows + count * bytesPerRow, rows, bytesPerRow, bytesPerRow, out, BYTES)
    return this.#kernel.cells.subarray(this.#normsAt, this.#normsAt + count)
  }

  /** The rows from `start` to before `end` as little-endian float32, without padding; valid until the next `put`. */
  bytesOf(buffer: number, start: number, end: number): Uint8Array {
    const [from, to] = [this.#locate(buffer, start), this.#locate(buffer, end)]
    const rows =
      this.#stride === this.#dimensions
        ? this.#kernel.cells.subarray(from, to)
        : this.#pack(from, end - start)
    return new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength)
  }

  #pack(from: number, count: number): Float32Array {
    const rows = new Float32Array(count * this.#dimensions)
    for (let row = 0; row < count; row++) {
      const at = from + row * this.#stride
      rows.set(this.#kernel.cells.subarray(at, at + this.#dimensions), row * this.#dimensions)
    }
    return rows
  }

  #locate(buffer: number, place: number): number {
    return (buffer * this.capacity + place) * this.#stride
  }
}
