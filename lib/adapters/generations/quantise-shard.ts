import { renderNpyHeader } from '../files/npy.ts'
import { LARGEST_CODE, quantise } from '../search/codes.ts'
import { AppendedFile } from './appended-file.ts'
import { BLOCK_VALUES, readValues } from './vector-values.ts'

export type QuantiseJob = {
  /** The shard's vectors.npy, and the file to make. */
  readonly vectors: string
  readonly codes: string
  readonly items: number
  readonly dimensions: number
}

/**
 * Writes the vectors of a shard as int8 [items, dimensions], a block at a time, and returns the number that they were
 * multiplied by, so that the largest becomes 127. The file can be read at once; `closing` resolves when it is on the disk.
 */
export function quantiseShard(job: QuantiseJob): { scale: number; closing: Promise<void> } {
  const largest = findLargest(job.vectors)
  const scale = LARGEST_CODE / (largest === 0 ? 1 : largest)
  const file = new AppendedFile(job.codes)
  file.append(renderNpyHeader('|i1', [job.items, job.dimensions]))
  const codes = new Int8Array(BLOCK_VALUES)
  for (const values of readValues(job.vectors)) {
    quantise(values, scale, codes)
    file.append(new Uint8Array(codes.buffer, 0, values.length))
  }
  return { scale, closing: file.close() }
}

function findLargest(path: string): number {
  let largest = 0
  for (const values of readValues(path)) {
    for (let at = 0; at < values.length; at++) {
      const value = Math.abs(values[at]!)
      if (value > largest) largest = value
    }
  }
  return largest
}
