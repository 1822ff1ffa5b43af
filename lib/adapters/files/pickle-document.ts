import { FileWindow } from './file-window.ts'
import { copyFloats, createFloats, FLOAT_BYTES } from './floats.ts'
import { PickleMachine } from './pickle-machine.ts'
import {
  type Dict,
  describe,
  isArray,
  kindOf,
  type PickledArray,
  rowLength,
  type Value,
} from './pickle-values.ts'

const MOST_STEPS = 5_000_000

/** The value of a small pickle, read whole; large arrays stay places in the file. Raises `corrupt`. */
export function readPickle(window: FileWindow): Value {
  const machine = new PickleMachine(window)
  let steps = 0
  while (machine.step()) if (++steps > MOST_STEPS) machine.bytes.fail('is too large to be read whole')
  const [value] = machine.stack
  return machine.stack.length === 1 ? value! : machine.bytes.fail('expected exactly one value')
}

/**
 * The rows of a pickled matrix [n, d], or of a dict of number -> row [d] in the order of the numbers 0 to n - 1.
 * Raises `corrupt` where a row is missing or of another length.
 */
export function readPickledMatrix(path: string): { readonly rows: number; readonly values: Float32Array } {
  const window = new FileWindow(path)
  try {
    const value = readPickle(window)
    if (isArray(value) && value.shape.length === 2 && !value.fortran) {
      return { rows: value.shape[0]!, values: readArray(window, value) }
    }
    if (kindOf(value) !== 'dict') window.fail(0, `expected a dict of centres, found ${describe(value)}`)
    return joinRows(window, value as Dict)
  } finally {
    window.close()
  }
}

function joinRows(window: FileWindow, { entries }: Dict): { rows: number; values: Float32Array } {
  const byKey = new Map(entries.map(([key, row]) => [String(key), row]))
  const rows = entries.map((_, index) => {
    const row = byKey.get(String(index))
    if (!isArray(row))
      return window.fail(0, `expected a NumPy array for each of 0 to ${entries.length - 1}, not for ${index}`)
    return readArray(window, row)
  })
  const length = rows[0]?.length ?? 0
  const values = new Float32Array(rows.length * length)
  for (const [index, row] of rows.entries()) {
    if (row.length !== length || rowLength(byKey.get(String(index)) as PickledArray) !== length) {
      window.fail(0, `the row of ${index} has ${row.length} numbers, that of 0 has ${length}`)
    }
    values.set(row, index * length)
  }
  return { rows: rows.length, values }
}

function readArray(window: FileWindow, array: PickledArray): Float32Array {
  const descr = `${array.dtype?.order}${array.dtype?.code}`
  const bytes = FLOAT_BYTES[descr]
  const { payload } = array
  if (!payload || !bytes)
    return window.fail(payload?.offset ?? 0, `expected little-endian floats, found ${descr}`)
  const count = payload.length / bytes
  const target = createFloats(count)
  const at = payload.inline ? 0 : window.locate(payload.offset, payload.length)
  const source = payload.inline ? Buffer.from(payload.inline) : window.bytes
  copyFloats({ bytes: source, at, count, descr }, target, 0)
  return target.floats
}
