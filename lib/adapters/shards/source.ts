import { join } from 'node:path'
import { MOST_PAGE_ROWS } from '../../domain/shard-export.ts'
import type { ShardsFile, SourceShard } from '../../domain/shards-file.ts'
import type { ShardSource } from '../../ports/shard-source.ts'
import { createHttpClient } from '../http/client.ts'
import { describeShards, findGeneration } from './describe-shards.ts'
import { fetchShards } from './fetch-shards.ts'
import { ShardClient } from './shard-client.ts'

/** A page and the line that goes beyond it. */
const MOST_ANSWER_BYTES = 64 << 20
/** Digits of the digest that a directory is called by. */
const DIGITS = 24

/** The index services that a file names; what is read of them is kept below `directory`. */
export function createShardSource(
  { from, to, connectMs, overallMs, workers, pageRows, notes }: ShardsFile,
  directory: string,
): ShardSource {
  const http = createHttpClient({ connectMs, mostBytes: MOST_ANSWER_BYTES })
  const connect = (shards: readonly SourceShard[]) =>
    shards.map((shard) => new ShardClient(shard, { http, overallMs }))
  const [sources, targets] = [connect(from), connect(to)]
  return {
    notes,
    async describe(generation, signal) {
      return await describeShards(sources, {
        generation: generation ?? (await findGeneration(sources, signal)),
        signal,
      })
    },
    async fetch(gallery, carried) {
      const place = join(directory, gallery.digest.replace('sha256:', '').slice(0, DIGITS))
      const most = pageRows === undefined ? undefined : Math.min(pageRows, MOST_PAGE_ROWS)
      await fetchShards(gallery, { ...carried, clients: sources, directory: place, workers, pageRows: most })
      return place
    },
    async observe(generation, signal) {
      return targets.length === 0 ? undefined : await describeShards(targets, { generation, signal })
    },
    close: () => http.close(),
  }
}
