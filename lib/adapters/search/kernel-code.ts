import { assembleModule, type Code, op, type WasmFunction } from './wasm.ts'

/** Rows and queries that one call compares: their 8 sums stay in registers, enough to hide the adders' latency. */
export const ROW_TILE = 2
export const QUERY_TILE = 4

/** Floats that one turn of the inner loop takes; rows are padded with zeros to a multiple of it. */
export const STRIDE = 16
const FLOATS_PER_VECTOR = 4
const BYTES = 4

/**
 * The module behind block-scorer.ts: `dots` compares ROW_TILE rows with QUERY_TILE queries, `dot` one with one. It is
 * assembled when it is loaded (some milliseconds), so that no binary and no tool chain is needed.
 */
export function assembleKernel(): WebAssembly.Module {
  return assembleModule([dotsOfTile('dots', ROW_TILE, QUERY_TILE), dotsOfTile('dot', 1, 1)])
}

/**
 * name(rows, queries, bytesPerRow, out, outStride): the inner products of rowTile rows with queryTile queries as
 * float32 at out + query * outStride + row * 4. All addresses and strides are in bytes.
 */
function dotsOfTile(name: string, rowTile: number, queryTile: number): WasmFunction {
  const [rows, queries, bytesPerRow, out, outStride, end, firstPointer] = [0, 1, 2, 3, 4, 5, 6] as const
  const rowPointer = (row: number) => firstPointer + row
  const queryPointer = (query: number) => firstPointer + rowTile + query
  const integers = 1 + rowTile + queryTile
  const firstVector = 5 + integers
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
  const advance = (local: number) => op.set(local, op.add(op.get(local), op.constant(STRIDE * BYTES)))
  return {
    name,
    parameters: 5,
    integers,
    vectors: rowTile * queryTile + rowTile + 1,
    body: [
      range(rowTile).map((row) =>
        op.set(rowPointer(row), op.add(op.get(rows), op.multiply(op.get(bytesPerRow), op.constant(row)))),
      ),
      range(queryTile).map((query) =>
        op.set(
          queryPointer(query),
          op.add(op.get(queries), op.multiply(op.get(bytesPerRow), op.constant(query))),
        ),
      ),
      op.set(end, op.add(op.get(rows), op.get(bytesPerRow))),
      op.repeatWhileBelow(rowPointer(0), end, [
        range(STRIDE / FLOATS_PER_VECTOR).map((step) => products(step * FLOATS_PER_VECTOR * BYTES)),
        range(rowTile).map((row) => advance(rowPointer(row))),
        range(queryTile).map((query) => advance(queryPointer(query))),
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
    ],
  }
}

function sumOfLanes(vector: Code): Code {
  const lane = (index: number) => op.lane(vector, index)
  return op.addFloats(op.addFloats(lane(0), lane(1)), op.addFloats(lane(2), lane(3)))
}
