import { FileWindow } from './file-window.ts'
import { copyFloats, FLOAT_BYTES, type FloatTarget } from './floats.ts'
import { parseNpyHeader } from './npy.ts'

const WINDOW = 1024 * 1024
const HEADER_BYTES = 64 * 1024

/** Rows of floats that lie one after the other in a file. */
export class MatrixFile {
  readonly window: FileWindow
  readonly offset: number
  readonly rows: number
  readonly dimensions: number
  /** Element type, a key of FLOAT_BYTES. */
  readonly descr: string
  readonly #rowBytes: number

  constructor(window: FileWindow, form: { offset: number; rows: number; dimensions: number; descr: string }) {
    this.window = window
    this.offset = form.offset
    this.rows = form.rows
    this.dimensions = form.dimensions
    this.descr = form.descr
    this.#rowBytes = form.dimensions * FLOAT_BYTES[form.descr]!
    const expected = form.offset + form.rows * this.#rowBytes
    if (window.size < expected) {
      window.fail(
        window.size,
        `ends too early: ${form.rows} rows of ${form.dimensions} numbers need ${expected} bytes`,
      )
    }
  }

  /** Copies a row to target[targetAt ..], as `copyFloats` does. Fast where rows are read in their order. */
  copyRow(row: number, target: FloatTarget, targetAt: number): void {
    const at = this.window.locate(this.offset + row * this.#rowBytes, this.#rowBytes)
    copyFloats({ bytes: this.window.bytes, at, count: this.dimensions, descr: this.descr }, target, targetAt)
  }

  close(): void {
    this.window.close()
  }
}

/** Opens a .npy file of floats [n, d] in C order. Raises `corrupt` for any other form, `not-found`. */
export function openNpyMatrix(path: string): MatrixFile {
  const window = new FileWindow(path, WINDOW)
  try {
    const at = window.locate(0, Math.min(window.size, HEADER_BYTES))
    const header = parseNpyHeader(window.bytes.subarray(at, at + Math.min(window.size, HEADER_BYTES)), path)
    const { descr, shape, fortranOrder, dataOffset } = header
    if (fortranOrder) window.fail(0, 'is in Fortran order; save numpy.ascontiguousarray(array) instead')
    if (!FLOAT_BYTES[descr])
      window.fail(0, `holds ${descr}, expected float16, float32 or float64, little-endian`)
    const [rows, dimensions] = shape
    if (shape.length !== 2 || !rows || !dimensions) {
      return window.fail(0, `has the shape (${shape.join(', ')}), expected (rows, dimensions)`)
    }
    return new MatrixFile(window, { offset: dataOffset, rows, dimensions, descr })
  } catch (error) {
    window.close()
    throw error
  }
}

/** All numbers of a small .npy matrix, row-major. Raises as `openNpyMatrix`. */
export function readNpyMatrix(path: string): { rows: number; dimensions: number; values: Float32Array } {
  const matrix = openNpyMatrix(path)
  try {
    const { rows, dimensions } = matrix
    const values = new Float32Array(rows * dimensions)
    const target = { floats: values, bytes: new Uint8Array(values.buffer) }
    for (let row = 0; row < rows; row++) matrix.copyRow(row, target, row * dimensions)
    return { rows, dimensions, values }
  } finally {
    matrix.close()
  }
}
