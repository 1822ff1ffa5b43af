import { BlockFile } from './block-file.ts'
import { VECTORS_START } from './shard-reader.ts'

/** Values that are read at a time. */
export const BLOCK_VALUES = 1 << 18

/** All values of a vectors.npy, in blocks that are valid until the next one. */
export function* readValues(path: string): Iterable<Float32Array> {
  const file = new BlockFile(path)
  try {
    file.read(new Uint8Array(VECTORS_START))
    const block = new Float32Array(BLOCK_VALUES)
    const bytes = new Uint8Array(block.buffer)
    for (let read = file.read(bytes); read > 0; read = file.read(bytes)) yield block.subarray(0, read / 4)
  } finally {
    file.close()
  }
}
