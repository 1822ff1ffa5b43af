import { createHash } from 'node:crypto'
import { LongshoreError } from '../../domain/errors.ts'
import type { ShardFacts } from '../../domain/judge.ts'
import { parseNpyHeader } from '../files/npy.ts'
import type { Match } from './best-matches.ts'
import { BlockFile } from './block-file.ts'
import { RowScan, type RowScanOptions } from './row-scan.ts'
import { VECTORS_START } from './shard-reader.ts'

export type VectorsJob = RowScanOptions & {
  readonly path: string
}

export type VectorsFacts = {
  readonly facts: ShardFacts
  readonly bytes: number
  readonly sha256: string
  /** The nearest rows of every query, best first. */
  readonly matches: readonly (readonly Match[])[]
}

/**
 * Everything that gates want to know of one vectors.npy, in one pass over the file. Raises `corrupt` where its header
 * does not fit the model or its length does not fit the header.
 */
export function scanVectors(job: VectorsJob): VectorsFacts {
  const { path, dimensions } = job
  const hash = createHash('sha256')
  const file = new BlockFile(path)
  try {
    const read = (block: Uint8Array) => {
      const bytes = file.read(block)
      hash.update(block.subarray(0, bytes))
      return bytes
    }
    const header = new Uint8Array(VECTORS_START)
    read(header)
    checkHeader(header, { path, dimensions, bytes: file.size })
    const scan = new RowScan(job)
    for (let rows = scan.scorer.fill(read); rows > 0; rows = scan.scorer.fill(read)) scan.finishBlock(rows)
    return { facts: scan.facts(), matches: scan.matches(), bytes: file.size, sha256: hash.digest('hex') }
  } finally {
    file.close()
  }
}

function checkHeader(
  header: Uint8Array,
  { path, dimensions, bytes }: { path: string; dimensions: number; bytes: number },
): void {
  const { descr, fortranOrder, shape, dataOffset } = parseNpyHeader(header, path)
  const [rows = -1, columns] = shape
  const isMatrix = shape.length === 2 && columns === dimensions && !fortranOrder
  if (descr !== '<f4' || !isMatrix || dataOffset !== VECTORS_START) {
    throw new LongshoreError(
      'corrupt',
      `${path}: holds ${descr} of shape (${shape.join(', ')}), expected <f4 of (rows, ${dimensions})`,
    )
  }
  const expected = dataOffset + rows * dimensions * 4
  if (bytes !== expected) {
    throw new LongshoreError('corrupt', `${path}: has ${bytes} bytes, but its header tells of ${expected}`)
  }
}
