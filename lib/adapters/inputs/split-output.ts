import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import type { GivenClusters, Input, RowBatch } from '../../ports/input.ts'
import { openFaissFlat } from '../files/faiss-flat.ts'
import { readNpyMatrix } from '../files/matrix.ts'
import { BatchBuilder } from './batch.ts'
import { readSentences } from './shard-sentences.ts'
import { observeFiles } from './source-files.ts'

const CENTRES = 'clust_centers.npy'

/** The split output of the reference system: per cluster a flat faiss index and its texts, and the centres. */
export class SplitOutputInput implements Input {
  readonly kind = 'reference split output'
  readonly files: Input['files']
  readonly rows: number
  readonly dimensions: number
  readonly clusters: GivenClusters
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
    const centres = join(directory, CENTRES)
    if (!existsSync(centres)) {
      throw new LongshoreError(
        'not-found',
        `${centres}: no such file, but the shards beside it need their centres`,
      )
    }
    const { rows: count, dimensions, values } = readNpyMatrix(centres)
    this.dimensions = dimensions
    this.clusters = { ids: listShards(directory, count), centroids: values }
    this.rows = this.clusters.ids.reduce((sum, id) => sum + this.#countRows(id), 0)
    this.files = observeFiles([
      centres,
      ...this.clusters.ids.flatMap((id) => Object.values(this.#pathsOf(id))),
    ])
  }

  async *read(signal: AbortSignal): AsyncIterable<RowBatch> {
    const builder = new BatchBuilder(this.dimensions, { hasClusters: true })
    for (const id of this.clusters.ids) yield* this.#readShard(id, builder, signal)
    if (!builder.isEmpty) yield await builder.take(signal)
  }

  async *#readShard(id: number, builder: BatchBuilder, signal: AbortSignal) {
    const { index, sentences } = this.#pathsOf(id)
    const matrix = openFaissFlat(index)
    try {
      let row = 0
      for (const text of readSentences(sentences)) {
        if (row < matrix.rows) {
          matrix.copyRow(row, builder.target, builder.targetAt)
          builder.add({ text }, id)
        }
        row++
        if (builder.isFull) yield await builder.take(signal)
      }
      if (row !== matrix.rows) throw this.#outOfStep(id, matrix.rows, row)
    } finally {
      matrix.close()
    }
  }

  #countRows(id: number): number {
    const matrix = openFaissFlat(this.#pathsOf(id).index)
    try {
      if (matrix.dimensions === this.dimensions) return matrix.rows
      return matrix.window.fail(
        0,
        `vectors have ${matrix.dimensions} numbers, the centres have ${this.dimensions}`,
      )
    } finally {
      matrix.close()
    }
  }

  #pathsOf(id: number): { index: string; sentences: string } {
    const shard = join(this.#directory, `clust_${id}`)
    return { index: join(shard, 'index'), sentences: join(shard, 'sentences.json') }
  }

  #outOfStep(id: number, vectors: number, texts: number): LongshoreError {
    const shard = join(this.#directory, `clust_${id}`)
    return new LongshoreError(
      'corrupt',
      `${shard}: index has ${vectors} vectors, sentences.json has ${texts} texts`,
      {
        hint: 'take index and sentences.json from the same run of the splitter',
      },
    )
  }
}

/** The numbers of the shards, which must be those of the centres. */
function listShards(directory: string, count: number): number[] {
  const found = new Set(readdirSync(directory).flatMap((name) => /^clust_(\d+)$/.exec(name)?.[1] ?? []))
  const ids = Array.from({ length: count }, (_, id) => id)
  const missing = ids.find((id) => !found.delete(String(id)))
  const [extra] = found
  if (missing === undefined && extra === undefined) return ids
  const problem = missing === undefined ? `clust_${extra} has no centre` : `clust_${missing} is missing`
  throw new LongshoreError('corrupt', `${directory}: ${problem}; ${CENTRES} has ${count} centres`)
}
