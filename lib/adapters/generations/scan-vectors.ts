import { createHash } from 'node:crypto'
import { LongshoreError } from '../../domain/errors.ts'
import type { ShardFacts } from '../../domain/judge.ts'
import type { Metric } from '../../domain/model.ts'
import { NEIGHBOURS_KEPT } from '../../domain/recall.ts'
import { innerProduct, scoreOf } from '../../domain/similarity.ts'
import { parseNpyHeader } from '../files/npy.ts'
import { createBlockScorer } from '../search/block-scorer.ts'
import { BestMatches, type Match } from './best-matches.ts'
import { createNearest } from './nearest.ts'
import { readBlocks } from './read-blocks.ts'

export type VectorsJob = {
  readonly path: string
  /** Position of the shard among the clusters, and its cluster's id. */
  readonly shard: number
  readonly cluster: number
  readonly dimensions: number
  /** How rows are routed, and how queries are compared with them. */
  readonly routing: Metric
  readonly scoring: Metric
  /** [clusters, dimensions] */
  readonly centroids: Float32Array
  /** [queries, dimensions] */
  readonly queries: Float32Array
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
  const file = readBlocks(path)
  try {
    const header = file.next(128)
    hash.update(header)
    const rows = readRowCount(header, { path, dimensions, bytes: file.size })
    const scan = createRowScan(job)
    const block = scan.capacity * dimensions * 4
    for (let bytes = file.next(block); bytes.length > 0; bytes = file.next(block)) {
      hash.update(bytes)
      scan.add(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4))
    }
    return { ...scan.end(rows), bytes: file.size, sha256: hash.digest('hex') }
  } finally {
    file.close()
  }
}

function readRowCount(
  header: Uint8Array,
  { path, dimensions, bytes }: { path: string; dimensions: number; bytes: number },
): number {
  const { descr, fortranOrder, shape, dataOffset } = parseNpyHeader(header, path)
  const [rows = -1, columns] = shape
  if (descr !== '<f4' || fortranOrder || shape.length !== 2 || columns !== dimensions || dataOffset !== 128) {
    throw new LongshoreError(
      'corrupt',
      `${path}: holds ${descr} of shape (${shape.join(', ')}), expected <f4 of (rows, ${dimensions})`,
    )
  }
  const expected = dataOffset + rows * dimensions * 4
  if (bytes !== expected) {
    throw new LongshoreError('corrupt', `${path}: has ${bytes} bytes, but its header tells of ${expected}`)
  }
  return rows
}

function createRowScan(job: VectorsJob) {
  const { shard, cluster, dimensions, centroids, queries, routing, scoring } = job
  const clusterCount = centroids.length / dimensions
  const vectors = new Float32Array(centroids.length + queries.length)
  vectors.set(centroids)
  vectors.set(queries, centroids.length)
  const scorer = createBlockScorer(vectors, dimensions)
  const findNearest = createNearest(scorer, centroids, { dimensions, metric: routing })
  const searches = Array.from({ length: queries.length / dimensions }, (_, query) => {
    const vector = queries.subarray(query * dimensions, (query + 1) * dimensions)
    return { squaredA: innerProduct(vector, vector), best: new BestMatches(NEIGHBOURS_KEPT) }
  })
  let [first, atHome, nonFinite, normDeviation, normRow] = [0, 0, 0, 0, 0]
  let firstNonFinite: number | null = null

  const checkNorms = (norms: Float32Array) => {
    for (let row = 0; row < norms.length; row++) {
      const deviation = Math.abs(Math.sqrt(norms[row]!) - 1)
      if (!Number.isFinite(deviation)) {
        nonFinite++
        firstNonFinite ??= first + row
      } else if (deviation > normDeviation) {
        normDeviation = deviation
        normRow = first + row
      }
    }
  }
  return {
    capacity: scorer.capacity,
    add(rows: Float32Array): void {
      const count = scorer.load(rows)
      const norms = scorer.squaredNorms()
      checkNorms(norms)
      const nearest = findNearest(count)
      for (let row = 0; row < count; row++) if (nearest[row] === shard) atHome++
      for (const [query, { squaredA, best }] of searches.entries()) {
        const products = scorer.productsOf(clusterCount + query)
        for (let row = 0; row < count; row++) {
          const product = products[row]!
          const score =
            scoring === 'dot' ? product : scoreOf(scoring, { product, squaredA, squaredB: norms[row]! })
          if (score > best.threshold) best.offer({ shard, row: first + row, score })
        }
      }
      first += count
    },
    end(rows: number) {
      const facts: ShardFacts = {
        cluster,
        items: rows,
        nonFinite,
        firstNonFinite,
        normDeviation,
        normRow,
        atHome,
      }
      return { facts, matches: searches.map(({ best }) => best.list()) }
    },
  }
}
