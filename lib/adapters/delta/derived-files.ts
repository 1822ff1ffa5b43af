import { join } from 'node:path'
import type { Derivation } from '../../domain/row-delta-plan.ts'
import { renderNpyHeader } from '../files/npy.ts'
import { renderOffsets } from '../generations/item-offsets.ts'
import { readValues } from '../generations/vector-values.ts'
import { quantise } from '../search/codes.ts'
import { LINES, readRows } from './read-rows.ts'

/** A file of a generation from another one that is whole, in pieces that are valid until the next one. */
export function derive(directory: string, derivation: Derivation): Generator<Uint8Array> {
  const source = join(directory, derivation.from)
  return derivation.kind === 'offsets' ? deriveOffsets(source) : deriveCodes(source, derivation)
}

function* deriveOffsets(lines: string): Generator<Uint8Array> {
  let position = 0
  yield renderOffsets(1, () => 0)
  for (const { count, lengths } of readRows(lines, LINES)) {
    yield renderOffsets(count, (row) => (position += lengths[row]!))
  }
}

function* deriveCodes(
  vectors: string,
  { scale, items, dimensions }: Extract<Derivation, { kind: 'codes' }>,
): Generator<Uint8Array> {
  yield renderNpyHeader('|i1', [items, dimensions])
  let codes = new Int8Array()
  for (const values of readValues(vectors)) {
    if (codes.length < values.length) codes = new Int8Array(values.length)
    quantise(values, scale, codes)
    yield new Uint8Array(codes.buffer, 0, values.length)
  }
}
