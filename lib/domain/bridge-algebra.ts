/** Row-major [rows, columns] in float64. */
export type Matrix = { readonly rows: number; readonly columns: number; readonly values: Float64Array }

/** The next round would change the square of it at most, and float32 keeps less. */
const ENOUGH = 1e-7
const MOST_ROUNDS = 60
/** So small a part of a matrix is added to it that what it leaves open is chosen, and nothing else changes. */
const COMPLETION = 1e-7

/** The products A'B [columns of a, columns of b] of two matrices of as many rows. */
export function multiplyTransposed(a: Matrix, b: Matrix): Matrix {
  const values = new Float64Array(a.columns * b.columns)
  for (let row = 0; row < a.rows; row++) {
    for (let column = 0; column < a.columns; column++) {
      const factor = a.values[row * a.columns + column]!
      if (factor !== 0)
        addRow(values, column * b.columns, b.values, { from: row * b.columns, count: b.columns, factor })
    }
  }
  return { rows: a.columns, columns: b.columns, values }
}

/** The X of AX = B, for a symmetric positive definite A, by Cholesky's factors (Golub and Van Loan, 4.2). Raises RangeError for any other. */
export function solvePositive(a: Matrix, b: Matrix): Matrix {
  const lower = factorise(a)
  const size = a.rows
  const { columns } = b
  const values = b.values.slice()
  for (let row = 0; row < size; row++) {
    for (let at = 0; at < row; at++) {
      addRow(values, row * columns, values, {
        from: at * columns,
        count: columns,
        factor: -lower[row * size + at]!,
      })
    }
    scaleRow(values, row * columns, columns, 1 / lower[row * size + row]!)
  }
  for (let row = size - 1; row >= 0; row--) {
    for (let at = row + 1; at < size; at++) {
      addRow(values, row * columns, values, {
        from: at * columns,
        count: columns,
        factor: -lower[at * size + row]!,
      })
    }
    scaleRow(values, row * columns, columns, 1 / lower[row * size + row]!)
  }
  return { rows: size, columns, values }
}

/**
 * The orthogonal matrix nearest to a square one: U of its polar decomposition UH, by Newton's iteration with scaling (Higham,
 * "Computing the Polar Decomposition", 1986). Where several are as near it is one of them.
 */
export function findOrthogonalFactor(matrix: Matrix): Matrix {
  const size = matrix.rows
  let current = complete(matrix)
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const inverse = invert(current, size)
    const scale = Math.sqrt(Math.sqrt(sumSquares(inverse) / sumSquares(current)))
    const next = new Float64Array(size * size)
    let change = 0
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        const at = row * size + column
        next[at] = 0.5 * (scale * current[at]! + inverse[column * size + row]! / scale)
        change = Math.max(change, Math.abs(next[at]! - current[at]!))
      }
    }
    current = next
    if (change < ENOUGH) break
  }
  return { rows: size, columns: size, values: current }
}

/** As `matrix`, with something in the directions of which it says nothing. */
function complete({ rows, values }: Matrix): Float64Array {
  const completed = values.slice()
  const part = COMPLETION * (Math.sqrt(sumSquares(values) / rows) || 1)
  for (let at = 0; at < rows; at++) completed[at * rows + at]! += part
  return completed
}

function factorise({ rows: size, values }: Matrix): Float64Array {
  const lower = new Float64Array(size * size)
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = values[row * size + column]!
      for (let at = 0; at < column; at++) sum -= lower[row * size + at]! * lower[column * size + at]!
      if (row !== column) lower[row * size + column] = sum / lower[column * size + column]!
      else if (sum > 0) lower[row * size + row] = Math.sqrt(sum)
      else throw new RangeError('expected a positive definite matrix')
    }
  }
  return lower
}

/** The inverse by Gauss and Jordan with the largest pivot of each column, in the place of what it is the inverse of. */
function invert(values: Float64Array, size: number): Float64Array {
  const inverse = values.slice()
  const pivots: number[] = []
  for (let column = 0; column < size; column++) {
    const pivot = findPivot(inverse, size, column)
    pivots.push(pivot)
    swapRows(inverse, size, pivot, column)
    const factor = 1 / inverse[column * size + column]!
    inverse[column * size + column] = 1
    scaleRow(inverse, column * size, size, factor)
    for (let row = 0; row < size; row++) {
      const times = inverse[row * size + column]!
      if (row === column || times === 0) continue
      inverse[row * size + column] = 0
      addRow(inverse, row * size, inverse, { from: column * size, count: size, factor: -times })
    }
  }
  for (let column = size - 1; column >= 0; column--) swapColumns(inverse, size, pivots[column]!, column)
  return inverse
}

function findPivot(values: Float64Array, size: number, column: number): number {
  let best = column
  for (let row = column + 1; row < size; row++) {
    if (Math.abs(values[row * size + column]!) > Math.abs(values[best * size + column]!)) best = row
  }
  return best
}

function swapRows(values: Float64Array, size: number, one: number, other: number): void {
  if (one === other) return
  const row = values.slice(one * size, (one + 1) * size)
  values.copyWithin(one * size, other * size, (other + 1) * size)
  values.set(row, other * size)
}

function swapColumns(values: Float64Array, size: number, one: number, other: number): void {
  if (one === other) return
  for (let row = 0; row < size; row++) {
    const value = values[row * size + one]!
    values[row * size + one] = values[row * size + other]!
    values[row * size + other] = value
  }
}

type Addend = { readonly from: number; readonly count: number; readonly factor: number }

function addRow(
  target: Float64Array,
  to: number,
  source: Float64Array,
  { from, count, factor }: Addend,
): void {
  for (let at = 0; at < count; at++) target[to + at]! += factor * source[from + at]!
}

function scaleRow(values: Float64Array, from: number, count: number, factor: number): void {
  for (let at = from; at < from + count; at++) values[at]! *= factor
}

function sumSquares(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0)
}
