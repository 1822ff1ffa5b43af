import { readFileSync } from 'node:fs'
import { LongshoreError } from '../../domain/errors.ts'
import { isShardSummary, type ShardSummary } from '../../domain/shard-export.ts'
import type { FleetGallery } from '../../ports/shard-source.ts'

/** Tells that the items of all shards of another fleet are in a directory. */
export const SHARDS_FILE = 'shards.json'

const FORMAT = 'longshore-shards/1'

/** The items of a shard, with the copies of other shards' items at the end, a line each. */
export function shardItemsFile(cluster: number): string {
  return `clust_${cluster}.jsonl`
}

export function renderShardsFile({ shards }: FleetGallery): string {
  return `${JSON.stringify({ format: FORMAT, shards })}\n`
}

/** The shards whose items are in a directory. Raises `corrupt`. */
export function readShardsFile(path: string): ShardSummary[] {
  const { format, shards } = JSON.parse(readFileSync(path, 'utf8')) as { format?: unknown; shards?: unknown }
  if (format === FORMAT && Array.isArray(shards) && shards.every(isShardSummary)) return shards
  throw new LongshoreError('corrupt', `${path}: is no list of shards of the format ${FORMAT}`, {
    hint: 'remove the directory; the same command reads them again',
  })
}
