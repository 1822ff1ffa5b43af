import { createHash } from 'node:crypto'
import { LongshoreError } from '../../domain/errors.ts'
import type { Metric } from '../../domain/model.ts'
import { parseNpyHeader } from '../files/npy.ts'
import { BlockScorer } from '../search/block-scorer.ts'
import { quantiseQueries } from '../search/quantised.ts'
import { BlockFile } from './block-file.ts'
import { NearestRows } from './nearest-rows.ts'
import type { FileFacts } from './scan-items.ts'

/** The header of index.i8.npy takes 128 bytes, however many rows it tells of. */
const CODES_START = 128

export type CodesJob = {
  readonly path: string
  readonly items: number
  readonly dimensions: number
  readonly scoring: Metric
  /** What vectors were multiplied by; queries are, too. */
  readonly scale: number
  /** [queries, dimensions] */
  readonly queries: Float32Array
  /** Candidates per query. */
  readonly most: number
}

export type CodesFacts = FileFacts & {
  /** The rows whose codes are nearest to those of each query, best first. */
  readonly candidates: readonly (readonly number[])[]
}

/**
 * The candidates that quantised search compares again, in one pass over an index.i8.npy that holds only a block of it.
 * Sums of products of codes are whole numbers that float32 holds exactly up to 1,040 dimensions. Raises `corrupt`
 * where the file's header or length does not fit.
 */
export function scanCodes({ path, items, dimensions, scoring, scale, queries, most }: CodesJob): CodesFacts {
  const coded = Float32Array.from(quantiseQueries(queries, scale, { dimensions, metric: scoring }))
  const scorer = new BlockScorer(coded, dimensions)
  const nearest = new NearestRows(scorer, {
    queries: coded,
    first: 0,
    dimensions,
    scoring,
    shard: 0,
    size: most,
  })
  const hash = createHash('sha256')
  const file = new BlockFile(path)
  try {
    const header = new Uint8Array(CODES_START)
    hash.update(header.subarray(0, file.read(header)))
    checkHeader(header, path, { items, dimensions, bytes: file.size })
    const codes = new Int8Array(scorer.capacity * dimensions)
    const bytes = new Uint8Array(codes.buffer)
    const rows = new Float32Array(codes.length)
    for (let read = file.read(bytes); read > 0; read = file.read(bytes)) {
      hash.update(bytes.subarray(0, read))
      rows.set(codes.subarray(0, read))
      scorer.load(rows.subarray(0, read))
      nearest.take(scorer.squaredNorms())
    }
    const candidates = nearest.list().map((matches) => matches.map(({ row }) => row))
    return { bytes: file.size, sha256: hash.digest('hex'), candidates }
  } finally {
    file.close()
  }
}

function checkHeader(
  header: Uint8Array,
  path: string,
  { items, dimensions, bytes }: { items: number; dimensions: number; bytes: number },
): void {
  const { descr, fortranOrder, shape, dataOffset } = parseNpyHeader(header, path)
  const found = `${descr} ${fortranOrder ? 'Fortran' : 'C'} [${shape.join(', ')}]`
  const expected = `|i1 C [${items}, ${dimensions}]`
  if (found !== expected || dataOffset !== CODES_START) {
    throw new LongshoreError('corrupt', `${path}: holds ${found}, expected ${expected}`)
  }
  if (bytes !== CODES_START + items * dimensions) {
    throw new LongshoreError(
      'corrupt',
      `${path}: has ${bytes} bytes, expected ${CODES_START + items * dimensions}`,
    )
  }
}
