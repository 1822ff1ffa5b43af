import { UnreachableError } from '../../lib/adapters/http/unreachable.ts'
import { queryModelOf } from '../../lib/domain/bridge.ts'
import { messageOf } from '../../lib/domain/errors.ts'
import type { Embedder } from '../../lib/ports/embedder.ts'
import { HttpError } from '../http/http-error.ts'
import type { Catalog } from './catalog.ts'
import { type Coverage, measureCoverage } from './coverage.ts'
import { createCrossing } from './cross-bridge.ts'
import type { GatewayMetrics } from './gateway-metrics.ts'
import { gather } from './gather.ts'
import type { IndexClient } from './index-client.ts'
import { createRouter, type RoutedCluster } from './route-queries.ts'
import type { SearchOptions } from './search-body.ts'
import { type Hit, round, type ShardTrace, type Waiting } from './shard-round.ts'

export type Result = { readonly hits: readonly Hit[]; readonly coverage: Coverage }

/** How answers were found. */
export type Trace = {
  /** For each query. */
  readonly clusters: readonly (readonly RoutedCluster[])[]
  readonly shards: readonly ShardTrace[]
  readonly stages: { readonly routeMs: number; readonly searchMs: number; readonly mergeMs: number }
}

/** Answers queries from one generation, from centroids to merge. */
export type Search = {
  /** The embedding of each text, in the space of the generation. Raises HttpError 502 `extraction_failed` or 503 `extraction_unavailable`. */
  embed(texts: readonly string[], waiting: Waiting): Promise<Float32Array[]>
  /**
   * For each vector the k best items of its nprobe nearest clusters. A cluster that does not answer is told in the
   * coverage where the policy is `partial` and another one answers; else raises HttpError 503 `incomplete`, or 502 when
   * it answers from something else.
   */
  find(
    vectors: readonly Float32Array[],
    options: SearchOptions,
    waiting: Waiting,
  ): Promise<{ readonly results: readonly Result[]; readonly trace: Trace }>
}

export type SearchParts = {
  readonly catalog: Catalog
  readonly embedder: Embedder
  readonly askShard: IndexClient
  readonly metrics: GatewayMetrics
}

export function createSearch({ catalog, embedder, askShard, metrics }: SearchParts): Search {
  const { dimensions } = queryModelOf(catalog.manifest)
  const cross = createCrossing(catalog)
  const route = createRouter(catalog)
  return {
    async embed(texts, { signal, deadline }) {
      const left = AbortSignal.timeout(Math.max(0, Math.ceil(deadline - performance.now())))
      try {
        const rows = await embedder.embed(texts, AbortSignal.any([signal, left]))
        return texts.map((_, at) => cross(rows.subarray(at * dimensions, (at + 1) * dimensions)))
      } catch (error) {
        if (error instanceof UnreachableError) {
          throw new HttpError(503, 'extraction_unavailable', error.message)
        }
        throw new HttpError(502, 'extraction_failed', messageOf(error))
      }
    },
    async find(vectors, options, waiting) {
      const begun = performance.now()
      const clusters = route(vectors, options.nprobe)
      const routed = performance.now()
      const asking = { vectors, options, waiting, askShard, metrics }
      const { merged, missing, shards, mergeMs } = await gather(clusters, asking)
      const [routeMs, searchMs] = [routed - begun, performance.now() - routed - mergeMs]
      metrics.observeStage('route', routeMs)
      metrics.observeStage('search', searchMs)
      metrics.observeStage('merge', mergeMs)
      const stages = { routeMs: round(routeMs), searchMs: round(searchMs), mergeMs: round(mergeMs) }
      return {
        results: merged.map((hits, query) => ({
          hits,
          coverage: measureCoverage(clusters[query]!, missing),
        })),
        trace: { clusters, shards, stages },
      }
    },
  }
}
