import { FileWindow } from './file-window.ts'
import { MatrixFile } from './matrix.ts'
import { readPickle } from './pickle-document.ts'
import { type Dict, describe, type Instance, kindOf, type Payload } from './pickle-values.ts'

const WINDOW = 1024 * 1024
const PICKLE = 0x80
/** Flat indexes: L2, inner product, and any metric. */
const FOURCCS = new Set(['IxF2', 'IxFI', 'IxFl'])
/** fourcc, d, ntotal, two unused words, is_trained, metric_type, number of floats. */
const HEADER_BYTES = 4 + 4 + 8 + 16 + 1 + 4 + 8

/**
 * The vectors of a flat faiss index: a file of `faiss.write_index`, or an index that joblib pickled. Source of the
 * layout: write_index_header and IndexFlat in faiss/impl/index_write.cpp. Raises `corrupt` for anything else.
 */
export function openFaissFlat(path: string): MatrixFile {
  const window = new FileWindow(path, WINDOW)
  try {
    const start = window.bytes[window.locate(0, 4)] === PICKLE ? findPickledIndex(window) : 0
    return parseFlatIndex(window, start)
  } catch (error) {
    window.close()
    throw error
  }
}

function parseFlatIndex(window: FileWindow, start: number): MatrixFile {
  const at = window.locate(start, HEADER_BYTES)
  const { bytes } = window
  const fourcc = bytes.toString('latin1', at, at + 4)
  if (!FOURCCS.has(fourcc)) {
    window.fail(start, `expected a flat faiss index (${[...FOURCCS].join(', ')}), found ${describe(fourcc)}`)
  }
  const dimensions = bytes.readInt32LE(at + 4)
  const rows = Number(bytes.readBigInt64LE(at + 8))
  const metric = bytes.readInt32LE(at + 33)
  if (metric !== 0 && metric !== 1) window.fail(start + 33, `metric ${metric} is not known, expected 0 or 1`)
  const floats = Number(bytes.readBigUInt64LE(at + 37))
  if (dimensions <= 0 || rows < 0 || rows * dimensions !== floats) {
    window.fail(start, `${rows} vectors of ${dimensions} numbers do not make ${floats} numbers`)
  }
  return new MatrixFile(window, { offset: start + HEADER_BYTES, rows, dimensions, descr: '<f4' })
}

/** Where the serialised index begins inside a pickled one. */
function findPickledIndex(window: FileWindow): number {
  const value = readPickle(window)
  const state = kindOf(value) === 'instance' ? (value as Instance).state : null
  const entries = kindOf(state) === 'dict' ? (state as Dict).entries : []
  const payload = entries.find(([key]) => key === 'this')?.[1]
  if (kindOf(payload) !== 'bytes' || (payload as Payload).inline) {
    return window.fail(0, `expected a pickled faiss index, found ${describe(value)}`)
  }
  return (payload as Payload).offset
}
