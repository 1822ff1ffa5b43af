import { join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { HashCounter } from '../../domain/hash-counter.ts'
import type { ShardFacts } from '../../domain/judge.ts'
import { countItems, countOwn, type FileEntry, type ShardSize, shardFile } from '../../domain/manifest.ts'
import type { Model } from '../../domain/model.ts'
import { NEIGHBOURS_KEPT } from '../../domain/recall.ts'
import { scoringOf } from '../../domain/similarity.ts'
import { hashText } from '../../domain/text-hash.ts'
import { compareMatches, type Match } from './best-matches.ts'
import type { ItemsFacts } from './scan-items.ts'
import type { VectorsFacts } from './scan-vectors.ts'
import type { WorkThread } from './workers.ts'

/** The files to measure: those of a generation, or of one that is being made. */
export type ScanJob = {
  readonly directory: string
  readonly model: Model
  readonly clusters: readonly ShardSize[]
  readonly centroids: Float32Array
  /** [queries, dimensions] */
  readonly queries: Float32Array
  readonly onRows?: (done: number) => void
}

export type Scan = {
  readonly shards: readonly ShardFacts[]
  readonly files: readonly FileEntry[]
  readonly repeatedIds: number
  readonly repeatedTexts: number
  /** Whether no two items have this text. */
  isUnique(text: string): boolean
  /** The nearest rows of every query over all shards, best first; of a copied item its own row. */
  readonly matches: readonly (readonly Match[])[]
  /** The nearest rows of every query in one shard, by its position among the clusters, copies included. */
  matchesOf(shard: number): readonly (readonly Match[])[]
}

/** Reads every file of every shard once, each by one of the threads. Raises `corrupt` naming the file that is not whole. */
export async function scanShards(job: ScanJob, threads: readonly WorkThread[]): Promise<Scan> {
  const { clusters } = job
  const collector = createCollector(job)
  const waiting = [...clusters.keys()].sort((a, b) => clusters[b]!.items - clusters[a]!.items)
  await Promise.all(
    threads.map(async (thread) => {
      for (let shard = waiting.shift(); shard !== undefined; shard = waiting.shift()) {
        const { items, vectors } = scanShard(thread, shard, job)
        // Ids are compared here while the thread goes on with the vectors.
        await Promise.all([items.then((facts) => collector.addItems(shard, facts)), vectors])
        collector.addVectors(shard, await vectors)
      }
    }),
  )
  collector.checkCopies()
  return collector.end()
}

type ShardScan = { readonly items: Promise<ItemsFacts>; readonly vectors: Promise<VectorsFacts> }

function scanShard(thread: WorkThread, shard: number, job: ScanJob): ShardScan {
  const { directory, model, centroids, queries } = job
  const cluster = job.clusters[shard]!.id
  const own = countOwn(job.clusters[shard]!)
  const locate = (file: 'vectors' | 'items' | 'offsets') => join(directory, shardFile(cluster, file))
  return {
    items: thread.call('scanItems', { items: locate('items'), offsets: locate('offsets'), own }),
    vectors: thread.call('scanVectors', {
      path: locate('vectors'),
      shard,
      cluster,
      own,
      dimensions: model.dimensions,
      routing: model.metric,
      scoring: scoringOf(model),
      centroids,
      queries,
    }),
  }
}

/** Puts the facts of single shards together, as they come. */
function createCollector({ clusters, queries, model, onRows }: ScanJob) {
  const total = countItems({ clusters })
  const ids = new HashCounter(total)
  const texts = new HashCounter(total)
  const items: ItemsFacts[] = []
  const scans: VectorsFacts[] = []
  let [rows, repeatedIds, repeatedTexts] = [0, 0, 0]
  return {
    addItems(shard: number, facts: ItemsFacts): void {
      items[shard] = facts
      repeatedIds += ids.addAll(facts.ids)
      repeatedTexts += texts.addAll(facts.texts)
    },
    /** Takes the facts of the vectors of a shard whose items were added. Raises `corrupt` where they are out of step. */
    addVectors(shard: number, facts: VectorsFacts): void {
      const { count } = items[shard]!
      if (count !== facts.facts.items) {
        const message = `clust_${clusters[shard]!.id}: ${facts.facts.items} vectors, but ${count} items`
        throw new LongshoreError('corrupt', message)
      }
      scans[shard] = facts
      rows += count
      onRows?.(rows)
    },
    /** Raises `corrupt` where a copy is one of no item. */
    checkCopies(): void {
      for (const [shard, { copiedIds }] of items.entries()) {
        const wrong = findUnknown(copiedIds, ids)
        if (wrong < 0) continue
        const row = countOwn(clusters[shard]!) + wrong
        throw new LongshoreError('corrupt', `clust_${clusters[shard]!.id}: row ${row} is a copy of no item`)
      }
    },
    end: (): Scan => ({
      shards: scans.map(({ facts }) => facts),
      files: clusters.flatMap(({ id }, shard) => [
        { path: shardFile(id, 'vectors'), bytes: scans[shard]!.bytes, sha256: scans[shard]!.sha256 },
        { path: shardFile(id, 'items'), ...items[shard]!.items },
        { path: shardFile(id, 'offsets'), ...items[shard]!.offsets },
      ]),
      repeatedIds,
      repeatedTexts,
      isUnique: (text) => texts.countOf(...hashText(text)) <= 1,
      matches: Array.from({ length: queries.length / model.dimensions }, (_, query) =>
        scans
          .flatMap(({ matches }) => matches[query]!)
          .filter(({ shard, row }) => row < countOwn(clusters[shard]!))
          .sort(compareMatches)
          .slice(0, NEIGHBOURS_KEPT),
      ),
      matchesOf: (shard) => scans[shard]!.matches,
    }),
  }
}

/** The first of the hashes that is not among those seen, -1 where all are. */
function findUnknown(hashes: Uint32Array, seen: HashCounter): number {
  for (let at = 0; at < hashes.length; at += 2) {
    if (seen.countOf(hashes[at]!, hashes[at + 1]!) === 0) return at / 2
  }
  return -1
}
