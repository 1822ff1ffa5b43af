import type { GenerationRef } from '../../lib/domain/generation.ts'
import type { Model } from '../../lib/domain/model.ts'
import type { Answer, Explanation } from './answers.ts'
import { round } from './shard-round.ts'

export type ReplyFacts = {
  readonly ref: GenerationRef
  readonly model: Model
  /** One, unless it is a batch. */
  readonly answers: readonly Answer[]
  readonly isBatch: boolean
  readonly explanation?: Explanation
  /** When the request came, by `performance.now()`. */
  readonly start: number
}

/** The reply to POST /v1/search as JSON; answers are taken as they are, so that known ones cost nothing. */
export function renderReply({ ref, model, answers, isBatch, explanation, start }: ReplyFacts): string {
  const { name, version } = model
  const head = JSON.stringify({ generation: ref.name, model: { name, version } }).slice(0, -1)
  const list = answers.map(({ json }) => json)
  const results = isBatch ? `"results":[${list.join(',')}]` : list[0]!.slice(1, -1)
  const explain = explanation ? `,"explain":${JSON.stringify(shape(explanation, isBatch))}` : ''
  return `${head},${results}${explain},"tookMs":${round(performance.now() - start)}}`
}

/** A batch tells the clusters of each query. */
function shape({ clusters, ...rest }: Explanation, isBatch: boolean) {
  return { clusters: isBatch ? clusters : clusters[0], ...rest }
}
