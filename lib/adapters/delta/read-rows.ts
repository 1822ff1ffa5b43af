import type { RowBlock } from '../../domain/row-delta.ts'
import { writeFingerprint } from '../../domain/row-delta-fingerprint.ts'
import { parseNpyHeader } from '../files/npy.ts'
import { BlockFile } from '../generations/block-file.ts'
import { PREFIX_MOST, UNIT_MOST } from './patch-format.ts'

const LINE_FEED = 0x0a
/** Rows of a block. */
export const BLOCK_ROWS = 16_384
/** Bytes that are read at a time; a longer line counts as several rows. */
const BUFFER_BYTES = UNIT_MOST

/** How the rows of a file lie: `width` bytes each after `prefix` bytes, or as lines where `width` is null. */
export type RowShape = { readonly prefix: number; readonly width: number | null }

export const LINES: RowShape = { prefix: 0, width: null }

/** How the rows of a vectors.npy lie, whatever the type of its numbers; undefined where it has no plain rows. */
export function readRowShape(path: string): RowShape | undefined {
  const file = new BlockFile(path)
  try {
    const bytes = new Uint8Array(PREFIX_MOST)
    const { descr, shape, fortranOrder, dataOffset } = parseNpyHeader(
      bytes.subarray(0, file.read(bytes)),
      path,
    )
    const width = Number(/^[<|][fiu]([1248])$/.exec(descr)?.[1] ?? 0) * (shape[1] ?? 0)
    const fits = !fortranOrder && shape.length === 2 && file.size === dataOffset + shape[0]! * width
    return fits && width > 0 && width <= UNIT_MOST ? { prefix: dataOffset, width } : undefined
  } finally {
    file.close()
  }
}

/** The rows of a file with their fingerprints, in blocks that are valid until the next one. */
export function* readRows(path: string, shape: RowShape): Generator<RowBlock> {
  const rows = { count: 0, prints: new Uint32Array(2 * BLOCK_ROWS), lengths: new Uint32Array(BLOCK_ROWS) }
  const file = new BlockFile(path)
  try {
    file.read(new Uint8Array(shape.prefix))
    const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
    for (let kept = 0, isLast = false; !isLast; ) {
      const bytes = buffer.subarray(0, kept + file.read(buffer.subarray(kept)))
      isLast = bytes.length < BUFFER_BYTES
      let at = 0
      do {
        rows.count = 0
        at = splitRows(bytes, { at, width: shape.width, isLast }, rows)
        if (rows.count > 0) yield rows
      } while (rows.count === BLOCK_ROWS)
      buffer.copyWithin(0, at, bytes.length)
      kept = bytes.length - at
    }
  } finally {
    file.close()
  }
}

type OpenBlock = { count: number; readonly prints: Uint32Array; readonly lengths: Uint32Array }

/** Adds the rows that begin at `at`, as many as there is room for, and returns where the next one begins. */
function splitRows(
  bytes: Buffer,
  { at, width, isLast }: { readonly at: number; readonly width: number | null; readonly isLast: boolean },
  rows: OpenBlock,
): number {
  let start = at
  while (start < bytes.length && rows.count < BLOCK_ROWS) {
    const end = width === null ? bytes.indexOf(LINE_FEED, start) + 1 : start + width
    const isWhole = end > start && end <= bytes.length
    // The rest of a row is read first, unless there is none or no room for it.
    if (!isWhole && !isLast && start > 0) break
    const next = isWhole ? end : bytes.length
    writeFingerprint(bytes, start, next, rows.prints, 2 * rows.count)
    rows.lengths[rows.count++] = next - start
    start = next
  }
  return start
}
