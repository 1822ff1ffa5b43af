import { trainClusters } from '../../domain/kmeans.ts'
import type { Metric } from '../../domain/model.ts'
import { createBlockScorer } from '../search/block-scorer.ts'
import { answerCalls } from './thread.ts'

type TrainJob = {
  readonly sample: Float32Array
  readonly clusters: number
  readonly seed: number
  readonly dimensions: number
  readonly metric: Metric
}

const handlers = {
  train: ({ sample, ...job }: TrainJob) => trainClusters(sample, { ...job, createScorer: createBlockScorer }),
}
export type TrainHandlers = typeof handlers

answerCalls(handlers)
