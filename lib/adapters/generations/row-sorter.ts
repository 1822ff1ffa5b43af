import { join } from 'node:path'
import type { Model } from '../../domain/model.ts'
import type { PreparedRows, Sealed } from '../../ports/generation-writer.ts'
import type { GivenClusters, Reject } from '../../ports/input.ts'
import { BlockScorer } from '../search/block-scorer.ts'
import { RowBuffers } from '../search/row-buffers.ts'
import { AppendedFile } from './appended-file.ts'
import { findBorder } from './border.ts'
import { NearestCentroid } from './nearest.ts'
import { REJECTS_FILE } from './partial.ts'
import { openShards } from './shard-reader.ts'
import { ShardWriter } from './shard-writer.ts'

/** Memory for rows that wait to be written, of all shards together and of one at most. */
const ALL_BUFFERS_BYTES = 32 * 1024 * 1024
/** Small enough that rows are still in the processor's cache when they are checked and written. */
const BUFFER_BYTES = 256 * 1024

export type SortOptions = {
  readonly directory: string
  readonly model: Model
  readonly clusters: GivenClusters
  /** Largest share of rows that are copied to the next cluster. */
  readonly borderShare: number
}

/** Writes every row to the shard of its cluster, in the order in which rows come. */
export class RowSorter {
  readonly #options: SortOptions
  readonly #dimensions: number
  readonly #shards: readonly ShardWriter[]
  readonly #rejects: AppendedFile
  readonly #scorer: BlockScorer
  readonly #nearest: NearestCentroid
  #rejected = 0

  /** Creates the files of all shards in `directory`. */
  constructor(options: SortOptions) {
    const { directory, model, clusters } = options
    const { dimensions, metric } = model
    const { ids, centroids } = clusters
    const bytes = Math.min(BUFFER_BYTES, ALL_BUFFERS_BYTES / ids.length)
    const capacity = Math.max(1, Math.floor(bytes / (dimensions * 4)))
    const buffers = new RowBuffers({ buffers: ids.length, capacity, dimensions })
    const reject = (line: Uint8Array) => this.#reject([describeNotFinite(line)])
    this.#options = options
    this.#dimensions = dimensions
    this.#shards = ids.map((cluster, buffer) => {
      return new ShardWriter({ directory, cluster, dimensions, buffers, buffer, reject })
    })
    this.#rejects = new AppendedFile(join(directory, REJECTS_FILE))
    this.#scorer = new BlockScorer(centroids, dimensions)
    this.#nearest = new NearestCentroid(this.#scorer, centroids, { dimensions, metric })
  }

  append({ vectors, clusters, items, rejects }: PreparedRows): void {
    const homes = clusters ?? this.#findHomes(vectors)
    const rows = { vectors: Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength), items }
    const count = vectors.length / this.#dimensions
    for (let row = 0; row < count; row++) this.#shards[homes[row]!]!.add(rows, row)
    this.#reject(rejects)
  }

  /** Writes what is left; the files can be read, but may not be on the disk yet. */
  finish(): Sealed {
    for (const shard of this.#shards) shard.finish()
    const own = this.#shards.map(({ items }) => items)
    if (this.#options.borderShare > 0 && own.length > 1) this.#copyBorder(own)
    const clusters = this.#shards.map(({ cluster, items }, shard) => {
      const copies = items - own[shard]!
      return { id: cluster, items, ...(copies > 0 && { copies }) }
    })
    return { clusters, rejects: this.#rejected }
  }

  /** Adds the rows near the border of their cluster to the next one, after that one's own. */
  #copyBorder(sizes: readonly number[]): void {
    const { directory, model, clusters, borderShare: share } = this.#options
    const shards = openShards(
      directory,
      clusters.ids.map((id) => ({ id })),
      model.dimensions,
    )
    try {
      for (const { shard, row, next } of findBorder({ directory, model, clusters, sizes, share })) {
        const lines = shards.readLine(shard, row)
        const vectors = Buffer.from(shards.readVector(shard, row).buffer)
        const items = { lines, lineEnds: Uint32Array.of(lines.length) }
        this.#shards[next]!.add({ vectors, items }, 0)
      }
    } finally {
      shards.close()
    }
    for (const shard of this.#shards) shard.finish()
  }

  /** Resolves when everything is on the disk. */
  async close(): Promise<void> {
    await Promise.all([...this.#shards, this.#rejects].map((file) => file.close()))
  }

  #findHomes(vectors: Float32Array): Int32Array {
    const homes = new Int32Array(vectors.length / this.#dimensions)
    for (let first = 0; first < homes.length; ) {
      const count = this.#scorer.load(vectors.subarray(first * this.#dimensions))
      homes.set(this.#nearest.find(count), first)
      first += count
    }
    return homes
  }

  #reject(rejects: readonly Reject[]): void {
    if (rejects.length === 0) return
    this.#rejected += rejects.length
    this.#rejects.append(Buffer.from(rejects.map((entry) => `${JSON.stringify(entry)}\n`).join('')))
  }
}

function describeNotFinite(line: Uint8Array): Reject {
  const { id, text } = JSON.parse(Buffer.from(line).toString()) as { id: string; text?: string }
  return { row: text ?? id, reason: 'its embedding holds NaN or infinity' }
}
