import { assembleModule, type Code, op, type WasmFunction } from './wasm.ts'

/** Rows and queries that one call compares: their 8 sums stay in registers, enough to hide the adders' latency. */
export const ROW_TILE = 2
export const QUERY_TILE = 4

/** Floats that one turn of the inner loop takes; rows are padded with zeros to a multiple of it. */
export const STRIDE = 16
const FLOATS_PER_VECTOR = 4
const BYTES = 4

const PAGE = 65536

/** A function of the kernel; `dotsOfTiles` tells what its numbers mean. */
export type Compare = (
  rows: number,
  rowsEnd: number,
  queries: number,
  queryStep: number,
  bytesPerRow: number,
  out: number,
  outStride: number,
) => void

export type Kernel = {
  /** The memory that both functions work in. */
  readonly cells: Float32Array
  /** Compares rows with QUERY_TILE queries. */
  readonly dots: Compare
  /** Compares each row with itself. */
  readonly squares: Compare
}

let module: WebAssembly.Module | undefined

/**
 * Starts the kernel with a memory of so many floats. It is assembled when it is first needed (some milliseconds), so
 * that no binary and no tool chain is needed.
 */
export function startKernel(floats: number): Kernel {
  module ??= assembleModule([dotsOfTiles('dots', ROW_TILE, QUERY_TILE), dotsOfTiles('squares', 1, 1)])
  const memory = new WebAssembly.Memory({ initial: Math.ceil((floats * BYTES) / PAGE) })
  const { dots, squares } = new WebAssembly.Instance(module, { env: { memory } }).exports
  return { cells: new Float32Array(memory.buffer), dots: dots as Compare, squares: squares as Compare }
}

/**
 * name(rows, rowsEnd, queries, queryStep, bytesPerRow, out, outStride): the inner products of all rows with queryTile
 * queries as float32 at out + query * outStride + row * 4, rowTile rows at a time, at least once. Between these the
 * queries move on by queryStep. All addresses, steps and strides are in bytes.
 */
function dotsOfTiles(name: string, rowTile: number, queryTile: number): WasmFunction {
  const [rows, rowsEnd, queries, queryStep, bytesPerRow, out, outStride] = [0, 1, 2, 3, 4, 5, 6] as const
  const [end, firstPointer] = [7, 8] as const
  const rowPointer = (row: number) => firstPointer + row
  const queryPointer = (query: number) => firstPointer + rowTile + query
  const integers = 1 + rowTile + queryTile
  const firstVector = end + integers
  const sum = (row: number, query: number) => firstVector + row * queryTile + query
  const rowVector = (row: number) => firstVector + rowTile * queryTile + row
  const queryVector = firstVector + rowTile * queryTile + rowTile
  const range = (count: number) => [...new Array(count).keys()]
  const all = (body: (row: number, query: number) => Code): Code =>
    range(rowTile).map((row) => range(queryTile).map((query) => body(row, query)))

  const products = (offset: number): Code => [
    range(rowTile).map((row) => op.set(rowVector(row), op.loadVector(op.get(rowPointer(row)), offset))),
    range(queryTile).map((query) => [
      op.set(queryVector, op.loadVector(op.get(queryPointer(query)), offset)),
      range(rowTile).map((row) =>
        op.set(
          sum(row, query),
          op.multiplyAdd(op.get(rowVector(row)), op.get(queryVector), op.get(sum(row, query))),
        ),
      ),
    ]),
  ]
  const advance = (local: number, step: Code) => op.set(local, op.add(op.get(local), step))
  const rowBytes = (count: number) => op.multiply(op.get(bytesPerRow), op.constant(count))
  const compareTile: Code = [
    all((row, query) => op.set(sum(row, query), op.zeroVector())),
    range(rowTile).map((row) => op.set(rowPointer(row), op.add(op.get(rows), rowBytes(row)))),
    range(queryTile).map((query) => op.set(queryPointer(query), op.add(op.get(queries), rowBytes(query)))),
    op.set(end, op.add(op.get(rows), op.get(bytesPerRow))),
    op.repeatWhileBelow(rowPointer(0), end, [
      range(STRIDE / FLOATS_PER_VECTOR).map((step) => products(step * FLOATS_PER_VECTOR * BYTES)),
      range(rowTile).map((row) => advance(rowPointer(row), op.constant(STRIDE * BYTES))),
      range(queryTile).map((query) => advance(queryPointer(query), op.constant(STRIDE * BYTES))),
    ]),
    all((row, query) =>
      op.storeFloat(
        op.add(
          op.add(op.get(out), op.constant(row * BYTES)),
          op.multiply(op.get(outStride), op.constant(query)),
        ),
        sumOfLanes(op.get(sum(row, query))),
      ),
    ),
  ]
  return {
    name,
    parameters: 7,
    integers,
    vectors: rowTile * queryTile + rowTile + 1,
    body: [
      op.repeatWhileBelow(rows, rowsEnd, [
        compareTile,
        advance(rows, rowBytes(rowTile)),
        advance(out, op.constant(rowTile * BYTES)),
        advance(queries, op.get(queryStep)),
      ]),
    ],
  }
}

function sumOfLanes(vector: Code): Code {
  const lane = (index: number) => op.lane(vector, index)
  return op.addFloats(op.addFloats(lane(0), lane(1)), op.addFloats(lane(2), lane(3)))
}
