import { trainClusters } from '../../domain/kmeans.ts'
import type { Metric } from '../../domain/model.ts'
import type { PreparedRows } from '../../ports/generation-writer.ts'
import { BlockScorer } from '../search/block-scorer.ts'
import { checkShard, indexShard } from './index-shard.ts'
import { RowSorter, type SortOptions } from './row-sorter.ts'
import { scanItems } from './scan-items.ts'
import { scanVectors } from './scan-vectors.ts'
import { answerCalls } from './thread.ts'

type TrainJob = {
  readonly sample: Float32Array
  readonly clusters: number
  readonly seed: number
  readonly dimensions: number
  readonly metric: Metric
}

const createScorer = (vectors: Float32Array, dimensions: number) => new BlockScorer(vectors, dimensions)

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
  indexShard,
  checkShard,
}
export type WorkHandlers = typeof handlers

answerCalls(handlers)
