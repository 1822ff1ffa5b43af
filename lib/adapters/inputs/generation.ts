import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import {
  CENTROIDS_FILE,
  countItems,
  countOwn,
  MANIFEST_FILE,
  type Manifest,
  shardFile,
} from '../../domain/manifest.ts'
import { parseManifest } from '../../domain/parse-manifest.ts'
import type { GivenClusters, Input, RowBatch } from '../../ports/input.ts'
import { openNpyMatrix } from '../files/matrix.ts'
import { BatchBuilder } from './batch.ts'
import { pairItems } from './item-lines.ts'
import { readCentroids } from './npy.ts'
import { observeFiles } from './source-files.ts'

/** A generation as input, to split it again or to repair it: its shards are the clusters. */
export class GenerationInput implements Input {
  readonly kind = 'generation'
  readonly files: Input['files']
  readonly rows: number
  readonly dimensions: number
  readonly clusters: GivenClusters
  readonly #directory: string
  /** Of each shard the rows that are no copies. */
  readonly #own: readonly number[]

  constructor(directory: string) {
    this.#directory = directory
    const manifest = this.#readManifest()
    this.rows = countItems(manifest)
    this.#own = manifest.clusters.map(countOwn)
    this.dimensions = manifest.model.dimensions
    const path = join(directory, CENTROIDS_FILE)
    const { centroids } = readCentroids(path, this.dimensions)
    const ids = manifest.clusters.map(({ id }) => id)
    if (centroids.length !== ids.length * this.dimensions) {
      const found = centroids.length / this.dimensions
      throw new LongshoreError(
        'corrupt',
        `${path}: has ${found} rows, the manifest has ${ids.length} clusters`,
      )
    }
    this.clusters = { ids, centroids }
    this.files = observeFiles([
      path,
      ...ids.flatMap((id) =>
        [shardFile(id, 'vectors'), shardFile(id, 'items')].map((file) => join(directory, file)),
      ),
    ])
  }

  async *read(signal: AbortSignal): AsyncIterable<RowBatch> {
    const builder = new BatchBuilder(this.dimensions, { hasClusters: true })
    for (const [index, id] of this.clusters.ids.entries()) yield* this.#readShard(index, id, builder, signal)
    if (!builder.isEmpty) yield await builder.take(signal)
  }

  async *#readShard(index: number, id: number, builder: BatchBuilder, signal: AbortSignal) {
    const items = join(this.#directory, shardFile(id, 'items'))
    const matrix = openNpyMatrix(join(this.#directory, shardFile(id, 'vectors')))
    try {
      if (matrix.dimensions !== this.dimensions) {
        matrix.window.fail(
          0,
          `vectors have ${matrix.dimensions} numbers, the manifest says ${this.dimensions}`,
        )
      }
      for (const { row, line, item, reason } of pairItems(matrix, items)) {
        if (row === this.#own[index]) break
        if (!item) throw new LongshoreError('corrupt', `${items}, line ${line}: ${reason}`)
        matrix.copyRow(row, builder.target, builder.targetAt)
        builder.add(item, index)
        if (builder.isFull) yield await builder.take(signal)
      }
    } finally {
      matrix.close()
    }
  }

  #readManifest(): Manifest {
    const path = join(this.#directory, MANIFEST_FILE)
    return parseManifest(readFileSync(path, 'utf8'), path)
  }
}
