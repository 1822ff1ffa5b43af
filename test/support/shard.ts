import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderNpyHeader } from '../../lib/adapters/files/npy.ts'
import type { ShardJob } from '../../lib/adapters/generations/shard-job.ts'
import { searchExact } from '../../lib/adapters/search/exact.ts'
import type { Metric } from '../../lib/domain/model.ts'
import { createRandom } from '../../lib/domain/random.ts'
import { NEIGHBOURS_KEPT } from '../../lib/domain/recall.ts'
import { wantedOf } from '../../lib/domain/shard-recall.ts'
import { makeTempDir } from './temp.ts'

/** Rows [count, dimensions] around 20 directions. */
export function makeVectors(count: number, dimensions: number, seed = 1): Float32Array {
  const random = createRandom(seed)
  const centres = Float32Array.from({ length: 20 * dimensions }, () => random() - 0.5)
  return Float32Array.from({ length: count * dimensions }, (_, at) => {
    const centre = Math.floor(at / dimensions) % 20
    return centres[centre * dimensions + (at % dimensions)]! + 0.6 * (random() - 0.5)
  })
}

/** The vectors of a shard as `clust_3` on disk, and what the first rows find there by exact search, asked as queries. */
export function makeShard(
  vectors: Float32Array,
  { dimensions, scoring, queries: count = 50 }: { dimensions: number; scoring: Metric; queries?: number },
): ShardJob {
  const directory = makeTempDir()
  const items = vectors.length / dimensions
  mkdirSync(join(directory, 'clust_3'))
  const bytes = new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength)
  writeFileSync(
    join(directory, 'clust_3', 'vectors.npy'),
    Buffer.concat([renderNpyHeader('<f4', [items, dimensions]), bytes]),
  )
  const queries = vectors.slice(0, count * dimensions)
  const options = { dimensions, metric: scoring, k: NEIGHBOURS_KEPT }
  const { rows, scores, perQuery } = searchExact(vectors, queries, options)
  const wanted = Array.from({ length: count }, (_, query) =>
    wantedOf(
      Array.from({ length: perQuery }, (_, rank) => ({
        row: rows[query * perQuery + rank]!,
        score: scores[query * perQuery + rank]!,
      })),
      query,
    ),
  )
  return { directory, cluster: 3, items, dimensions, scoring, queries, wanted }
}
