import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import type { GivenClusters, Input, RowBatch } from '../../ports/input.ts'
import { openNpyMatrix, readNpyMatrix } from '../files/matrix.ts'
import { type IntegerFile, openNpyIntegers } from '../files/npy-integers.ts'
import { BatchBuilder } from './batch.ts'
import { pairItems } from './item-lines.ts'
import { observeFiles } from './source-files.ts'

/**
 * A .npy file of embeddings [n, d] with items.jsonl beside it; where clusters.npy [n] and centroids.npy [k, d] lie there
 * too, they give the clusters.
 */
export class NpyInput implements Input {
  readonly kind = 'NumPy'
  readonly files: Input['files']
  readonly rows: number
  readonly dimensions: number
  readonly clusters: GivenClusters | null
  readonly #vectors: string
  readonly #items: string
  readonly #assigned: string | undefined

  constructor(vectors: string) {
    const beside = (name: string) => join(dirname(vectors), name)
    this.#vectors = vectors
    this.#items = requireFile(beside('items.jsonl'), vectors)
    const matrix = openNpyMatrix(vectors)
    this.rows = matrix.rows
    this.dimensions = matrix.dimensions
    matrix.close()
    this.#assigned = existsSync(beside('clusters.npy')) ? beside('clusters.npy') : undefined
    const centroids = this.#assigned && requireFile(beside('centroids.npy'), this.#assigned)
    this.clusters = centroids ? readCentroids(centroids, this.dimensions) : null
    const given = this.#assigned && centroids ? [this.#assigned, centroids] : []
    this.files = observeFiles([vectors, this.#items, ...given])
  }

  async *read(signal: AbortSignal): AsyncIterable<RowBatch> {
    const matrix = openNpyMatrix(this.#vectors)
    const assigned = this.#assigned === undefined ? undefined : openNpyIntegers(this.#assigned)
    try {
      if (assigned && assigned.length !== matrix.rows) throw this.#outOfStep(assigned)
      const builder = new BatchBuilder(this.dimensions, { hasClusters: assigned !== undefined })
      for (const { row, line, item, reason } of pairItems(matrix, this.#items)) {
        const cluster = assigned?.read(row) ?? 0
        if (!item) builder.reject(row, `items.jsonl, line ${line}: ${reason}`)
        else if (assigned && !(cluster in this.clusters!.ids))
          builder.reject(row, `cluster ${cluster} has no centroid`)
        else {
          matrix.copyRow(row, builder.target, builder.targetAt)
          builder.add(item, cluster)
        }
        if (builder.isFull) yield await builder.take(signal)
      }
      if (!builder.isEmpty) yield await builder.take(signal)
    } finally {
      assigned?.close()
      matrix.close()
    }
  }

  #outOfStep({ length }: IntegerFile): LongshoreError {
    const message = `${this.#assigned}: has ${length} numbers, but ${this.#vectors} has ${this.rows} rows`
    return new LongshoreError('corrupt', message)
  }
}

/** The centroids [k, d] in a .npy file, for the clusters 0 to k - 1. Raises `corrupt` where d is another. */
export function readCentroids(path: string, dimensions: number): GivenClusters {
  const { rows, dimensions: found, values } = readNpyMatrix(path)
  if (found !== dimensions) {
    throw new LongshoreError(
      'corrupt',
      `${path}: centroids have ${found} numbers, the vectors have ${dimensions}`,
    )
  }
  return { ids: Array.from({ length: rows }, (_, id) => id), centroids: values }
}

function requireFile(path: string, belongsTo: string): string {
  if (existsSync(path)) return path
  throw new LongshoreError('not-found', `${path}: no such file, but ${belongsTo} needs it`)
}
