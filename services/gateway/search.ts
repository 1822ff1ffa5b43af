import { UnreachableError } from '../../lib/adapters/http/unreachable.ts'
import { orderClusters } from '../../lib/domain/clusters.ts'
import { messageOf } from '../../lib/domain/errors.ts'
import { mergeTopK } from '../../lib/domain/top-k.ts'
import type { Embedder } from '../../lib/ports/embedder.ts'
import { HttpError } from '../http/http-error.ts'
import type { Catalog } from './catalog.ts'
import type { IndexClient, ShardHit } from './index-client.ts'

export type Hit = ShardHit & { readonly cluster: number }

/** How many of the clusters that should be asked have answered. */
export type Coverage = { readonly asked: number; readonly answered: number; readonly complete: boolean }

export type Result = { readonly hits: readonly Hit[]; readonly coverage: Coverage }

export type SearchOptions = { readonly k: number; readonly nprobe: number; readonly signal: AbortSignal }

/** Answers queries from one generation, from centroids to merge. */
export type Search = {
  /** The embedding of a query. Raises HttpError 502 `extraction_failed` or 503 `extraction_unavailable`. */
  embed(text: string, signal: AbortSignal): Promise<Float32Array>
  /**
   * The k best items of the nprobe nearest clusters. All of them must answer: raises HttpError 503 `incomplete` when
   * one does not, 502 when one answers from something else.
   */
  find(vector: Float32Array, options: SearchOptions): Promise<Result>
}

export function createSearch(catalog: Catalog, embedder: Embedder, askShard: IndexClient): Search {
  const { manifest, centroids } = catalog
  return {
    async embed(text, signal) {
      try {
        return await embedder.embed([text], signal)
      } catch (error) {
        if (error instanceof UnreachableError) {
          throw new HttpError(503, 'extraction_unavailable', error.message)
        }
        throw new HttpError(502, 'extraction_failed', messageOf(error))
      }
    },
    async find(vector, { k, nprobe, signal }) {
      const rows = orderClusters(vector, centroids, manifest.model.metric).slice(0, nprobe)
      const clusters = rows.map((row) => manifest.clusters[row]!.id)
      const answers = await Promise.allSettled(
        clusters.map(async (cluster) => {
          const hits = await askShard({ cluster, vector, k, signal })
          return hits.map((hit): Hit => ({ ...hit, cluster }))
        }),
      )
      const coverage = measureCoverage(answers)
      if (!coverage.complete) throw explainMissing(answers, coverage)
      const lists = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
      return { hits: mergeTopK(lists, k), coverage }
    },
  }
}

function measureCoverage(answers: readonly PromiseSettledResult<unknown>[]): Coverage {
  const answered = answers.filter(({ status }) => status === 'fulfilled').length
  return { asked: answers.length, answered, complete: answered === answers.length }
}

/** An answer from something else says more than one that did not come. */
function explainMissing(answers: readonly PromiseSettledResult<unknown>[], coverage: Coverage): unknown {
  const reasons = answers.flatMap((answer): unknown[] =>
    answer.status === 'rejected' ? [answer.reason] : [],
  )
  const wrong = reasons.find((reason) => !(reason instanceof UnreachableError))
  if (wrong instanceof HttpError) return new HttpError(wrong.status, wrong.code, wrong.message, { coverage })
  if (wrong !== undefined) return wrong
  return new HttpError(503, 'incomplete', reasons.map(messageOf).join('; '), { coverage })
}
