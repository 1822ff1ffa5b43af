import { LongshoreError } from '../../domain/errors.ts'
import { LineReader } from '../files/line-reader.ts'
import type { MatrixFile } from '../files/matrix.ts'
import { type ParsedItem, parseItem } from './source-item.ts'

/** One row of a matrix with the line of items.jsonl that belongs to it. */
export type PairedRow = { readonly row: number; readonly line: number } & ParsedItem

/**
 * Walks over a matrix and its items side by side; the matrix is left to the caller. Raises `corrupt` where one of
 * them ends before the other.
 */
export function* pairItems(matrix: MatrixFile, path: string): Generator<PairedRow> {
  const lines = new LineReader(path)
  try {
    for (let row = 0; row < matrix.rows; row++) {
      const line = lines.next()
      if (line === undefined) throw outOfStep(path, row, matrix)
      yield { row, line: lines.number, ...parseItem(line) }
    }
    if (lines.next() !== undefined) throw outOfStep(path, `more than ${matrix.rows}`, matrix)
  } finally {
    lines.close()
  }
}

function outOfStep(path: string, items: number | string, matrix: MatrixFile): LongshoreError {
  const message = `${path}: has ${items} items, but ${matrix.window.path} has ${matrix.rows} vectors`
  return new LongshoreError('corrupt', message, {
    hint: 'each line tells the item of the vector in the same row',
  })
}
