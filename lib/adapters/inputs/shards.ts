import { join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import type { ShardSummary } from '../../domain/shard-export.ts'
import type { Input, RowBatch } from '../../ports/input.ts'
import { LineReader } from '../files/line-reader.ts'
import { BatchBuilder } from './batch.ts'
import { readShardsFile, SHARDS_FILE, shardItemsFile } from './shards-format.ts'
import { parseItem } from './source-item.ts'

/** The items that were read from the shards of another fleet, without the copies that these hold of each other's. */
export class ShardsInput implements Input {
  readonly kind = 'shards of a fleet'
  readonly files: Input['files']
  readonly rows: number
  readonly dimensions = null
  readonly clusters = null
  readonly #directory: string
  readonly #shards: readonly ShardSummary[]

  constructor(directory: string) {
    this.#directory = directory
    this.#shards = readShardsFile(join(directory, SHARDS_FILE))
    this.rows = this.#shards.reduce((sum, { objects }) => sum + objects, 0)
    // By what they are, not by where and when they were put: read once more they are the same.
    this.files = this.#shards.map(({ generation, cluster, sha256, bytes }) => ({
      path: `${generation}/${shardItemsFile(cluster)}@sha256:${sha256}`,
      bytes,
      modifiedMs: 0,
    }))
  }

  async *read(signal: AbortSignal): AsyncIterable<RowBatch> {
    const builder = new BatchBuilder(null, { hasClusters: false })
    for (const shard of this.#shards) yield* this.#readShard(shard, builder, signal)
    if (!builder.isEmpty) yield await builder.take(signal)
  }

  async *#readShard({ cluster, objects }: ShardSummary, builder: BatchBuilder, signal: AbortSignal) {
    const path = join(this.#directory, shardItemsFile(cluster))
    const lines = new LineReader(path)
    try {
      for (let row = 0; row < objects; row++) {
        const line = lines.next()
        const { item, reason } = line === undefined ? { reason: 'ends too early' } : parseItem(line)
        if (!item) throw new LongshoreError('corrupt', `${path}, line ${lines.number}: ${reason}`)
        builder.add(item)
        if (builder.isFull) yield await builder.take(signal)
      }
    } finally {
      lines.close()
    }
  }
}
