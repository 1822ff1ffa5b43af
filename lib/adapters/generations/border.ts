import { join } from 'node:path'
import { shardFile } from '../../domain/manifest.ts'
import type { Model } from '../../domain/model.ts'
import type { GivenClusters } from '../../ports/input.ts'
import { BlockScorer } from '../search/block-scorer.ts'
import { BlockFile } from './block-file.ts'
import { NearestCentroid } from './nearest.ts'
import { VECTORS_START } from './shard-reader.ts'

/** A row of a shard, and the next nearest cluster; both by their positions among the clusters. */
export type BorderRow = { readonly shard: number; readonly row: number; readonly next: number }

export type BorderOptions = {
  readonly directory: string
  readonly model: Model
  readonly clusters: GivenClusters
  /** Rows that each shard holds. */
  readonly sizes: readonly number[]
  readonly share: number
}

/**
 * The rows that are nearest to the border of their cluster, a share of all at most, in the order in which they are stored:
 * those of which the next centroid is less than a margin farther than their own. Holds 10 bytes for each row.
 */
export function* findBorder(options: BorderOptions): Generator<BorderRow> {
  const { sizes, share } = options
  const total = sizes.reduce((sum, rows) => sum + rows, 0)
  const next = new Uint16Array(total)
  const gaps = new Float32Array(total)
  let first = 0
  for (const [shard, rows] of sizes.entries()) {
    measureGaps(options, shard, { next: next.subarray(first), gaps: gaps.subarray(first) })
    first += rows
  }
  const margin = gaps.toSorted()[Math.floor(total * share)] ?? Number.POSITIVE_INFINITY
  first = 0
  for (const [shard, rows] of sizes.entries()) {
    for (let row = 0; row < rows; row++) {
      if (gaps[first + row]! < margin) yield { shard, row, next: next[first + row]! }
    }
    first += rows
  }
}

type Gaps = { readonly next: Uint16Array; readonly gaps: Float32Array }

/** How much nearer to its own centroid each row of a shard is than to the next one, and which that is. */
function measureGaps({ directory, model, clusters, sizes }: BorderOptions, shard: number, out: Gaps): void {
  const { dimensions, metric } = model
  const scorer = new BlockScorer(clusters.centroids, dimensions)
  const centroids = new NearestCentroid(scorer, clusters.centroids, { dimensions, metric })
  const file = new BlockFile(join(directory, shardFile(clusters.ids[shard]!, 'vectors')))
  try {
    file.read(new Uint8Array(VECTORS_START))
    for (let row = 0; row < sizes[shard]!; ) {
      const count = scorer.fill((target) => file.read(target))
      const { nearest, gaps } = centroids.findNext(count, shard)
      const norms = scorer.squaredNorms()
      out.next.set(nearest, row)
      // Cosines are compared, which the length of a row does not change.
      for (let at = 0; at < count; at++) {
        out.gaps[row + at] = metric === 'cosine' ? gaps[at]! / Math.sqrt(norms[at]! || 1) : gaps[at]!
      }
      row += count
    }
  } finally {
    file.close()
  }
}
