import { join } from 'node:path'
import type { Model } from '../../domain/model.ts'
import type { PreparedRows, Sealed } from '../../ports/generation-writer.ts'
import type { GivenClusters, Reject } from '../../ports/input.ts'
import { type BlockScorer, createBlockScorer } from '../search/block-scorer.ts'
import { createFile } from './appended-file.ts'
import { createNearest } from './nearest.ts'
import { REJECTS_FILE } from './partial.ts'
import { createShardWriter } from './shard-writer.ts'

/** Memory for rows that wait to be written, of all shards together and of one at most. */
const ALL_BUFFERS_BYTES = 32 * 1024 * 1024
const BUFFER_BYTES = 2 * 1024 * 1024

export type SortOptions = {
  readonly directory: string
  readonly model: Model
  readonly clusters: GivenClusters
}

/** Writes every row to the shard of its cluster, in the order in which rows come. */
export type RowSorter = {
  append(rows: PreparedRows): void
  /** Writes what is left; the files can be read, but may not be on the disk yet. */
  finish(): Sealed
  /** Resolves when everything is on the disk. */
  close(): Promise<void>
}

/** Creates the files of all shards in `directory`, and sorts rows into them. */
export function createRowSorter({ directory, model, clusters }: SortOptions): RowSorter {
  const { dimensions, metric } = model
  const bufferBytes = Math.min(BUFFER_BYTES, Math.floor(ALL_BUFFERS_BYTES / clusters.ids.length))
  const shards = clusters.ids.map((cluster) =>
    createShardWriter({ directory, cluster, dimensions, bufferBytes }),
  )
  const rejectsFile = createFile(join(directory, REJECTS_FILE))
  const scorer = createBlockScorer(clusters.centroids, dimensions)
  const findNearest = createNearest(scorer, clusters.centroids, { dimensions, metric })
  let rejected = 0

  const reject = (rejects: readonly Reject[]) => {
    rejected += rejects.length
    rejectsFile.append(Buffer.from(rejects.map((entry) => `${JSON.stringify(entry)}\n`).join('')))
  }
  return {
    append({ vectors, clusters: given, lines, lineEnds, rejects }: PreparedRows): void {
      reject(rejects)
      forEachBlock(vectors, dimensions, scorer, (first, count) => {
        const norms = scorer.squaredNorms()
        const homes = given ? given.subarray(first, first + count) : findNearest(count)
        for (let row = 0; row < count; row++) {
          const at = first + row
          const line = lines.subarray(at === 0 ? 0 : lineEnds[at - 1], lineEnds[at])
          if (Number.isFinite(norms[row])) {
            shards[homes[row]!]!.add(vectors.subarray(at * dimensions, (at + 1) * dimensions), line)
          } else reject([describeNotFinite(line)])
        }
      })
    },
    finish(): Sealed {
      for (const shard of shards) shard.finish()
      return { clusters: shards.map(({ cluster, items }) => ({ id: cluster, items })), rejects: rejected }
    },
    async close(): Promise<void> {
      await Promise.all([...shards, rejectsFile].map((file) => file.close()))
    },
  }
}

function describeNotFinite(line: Uint8Array): Reject {
  const { id, text } = JSON.parse(Buffer.from(line).toString()) as { id: string; text?: string }
  return { row: text ?? id, reason: 'its embedding holds NaN or infinity' }
}

function forEachBlock(
  vectors: Float32Array,
  dimensions: number,
  scorer: BlockScorer,
  visit: (first: number, count: number) => void,
): void {
  for (let first = 0; first * dimensions < vectors.length; ) {
    const count = scorer.load(vectors.subarray(first * dimensions))
    visit(first, count)
    first += count
  }
}
