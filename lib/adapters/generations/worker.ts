import { trainClusters } from '../../domain/kmeans.ts'
import type { Metric } from '../../domain/model.ts'
import type { PreparedRows } from '../../ports/generation-writer.ts'
import { loadNative } from '../process/thread-state.ts'
import { BlockScorer } from '../search/block-scorer.ts'
import type { IndexJob } from './index-shard.ts'
import { RowSorter, type SortOptions } from './row-sorter.ts'
import { scanItems } from './scan-items.ts'
import { scanVectors } from './scan-vectors.ts'
import type { CheckJob } from './shard-job.ts'
import { answerCalls } from './thread.ts'

type TrainJob = {
  readonly sample: Float32Array
  readonly clusters: number
  readonly seed: number
  readonly dimensions: number
  readonly metric: Metric
}

const createScorer = (vectors: Float32Array, dimensions: number) => new BlockScorer(vectors, dimensions)

/** The libraries for this take a third of a thread's start, and generations of small shards need none. */
const loadIndexing = () => loadNative(() => import('./index-shard.ts'))

let sorter: RowSorter

const handlers = {
  train: ({ sample, ...job }: TrainJob) => trainClusters(sample, { ...job, createScorer }),
  begin(options: SortOptions) {
    sorter = new RowSorter(options)
  },
  append: (rows: PreparedRows) => sorter.append(rows),
  finish: () => sorter.finish(),
  close: () => sorter.close(),
  scanVectors,
  scanItems,
  indexShard: async (job: IndexJob) => (await loadIndexing()).indexShard(job),
  checkShard: async (job: CheckJob) => (await loadIndexing()).checkShard(job),
}
export type WorkHandlers = typeof handlers

answerCalls(handlers)
