import { UnreachableError } from '../../lib/adapters/http/unreachable.ts'
import type { ShardList } from '../../lib/domain/top-k.ts'
import { HttpError } from '../http/http-error.ts'
import type { GatewayMetrics } from './gateway-metrics.ts'
import type { IndexClient, ShardHit } from './index-client.ts'
import type { SearchOptions } from './search-body.ts'

export type Hit = ShardHit & { readonly cluster: number }

/** Who waits for an answer: until when by `performance.now()`, and whether anybody still does. */
export type Waiting = { readonly signal: AbortSignal; readonly deadline: number }

/** One query, by its position in the batch, to one cluster. */
export type Question = { readonly query: number; readonly cluster: number }

/** What one shard did for the queries that it was asked for. */
export type ShardTrace = {
  readonly cluster: number
  readonly queries: number
  readonly k: number
  readonly tookMs: number
  readonly searchMs?: number
  readonly kind?: string
  readonly hits?: number
  readonly hedged?: boolean
  /** Why it did not answer. */
  readonly error?: string
}

export type ShardOutcome = {
  readonly trace: ShardTrace
  readonly lists: readonly { readonly question: Question; readonly list: ShardList<Hit> }[]
  readonly failure?: Error
}

export type RoundParts = {
  readonly vectors: readonly Float32Array[]
  readonly options: SearchOptions
  readonly waiting: Waiting
  readonly askShard: IndexClient
  readonly metrics: GatewayMetrics
}

/**
 * Asks every shard once, with all the queries that are meant for it, for at most `limit(queries)` hits each. A shard that
 * does not answer, or answers from something else, is an outcome with its failure; anything else is raised.
 */
export async function askRound(
  questions: readonly Question[],
  limit: (queries: number) => number,
  parts: RoundParts,
): Promise<ShardOutcome[]> {
  const byCluster = Map.groupBy(questions, ({ cluster }) => cluster)
  const settled = await Promise.allSettled(
    [...byCluster].map(([cluster, asked]) => askOne(cluster, asked, limit(asked.length), parts)),
  )
  return settled.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
}

async function askOne(
  cluster: number,
  asked: readonly Question[],
  k: number,
  { vectors, options, waiting, askShard, metrics }: RoundParts,
): Promise<ShardOutcome> {
  const { threshold, filter } = options
  const start = performance.now()
  const measure = () => {
    const tookMs = performance.now() - start
    metrics.observeStage('shard', tookMs)
    return { cluster, queries: asked.length, k, tookMs: round(tookMs) }
  }
  try {
    const { hits, searchMs, kind, hedged } = await askShard({
      cluster,
      vectors: joinRows(asked.map(({ query }) => vectors[query]!)),
      k,
      ...(threshold !== undefined && { threshold }),
      ...(filter !== undefined && { filter }),
      ...waiting,
    })
    const lists = asked.map((question, at) => {
      const found = hits[at]!.map((hit): Hit => ({ ...hit, cluster }))
      return { question, list: { hits: found, isCut: found.length >= k } }
    })
    const count = hits.reduce((sum, list) => sum + list.length, 0)
    return { lists, trace: { ...measure(), searchMs: round(searchMs), kind, hits: count, hedged } }
  } catch (error) {
    if (!(error instanceof UnreachableError || error instanceof HttpError)) throw error
    if (!waiting.signal.aborted) metrics.countMissing(cluster, error)
    return { lists: [], trace: { ...measure(), error: error.message }, failure: error }
  }
}

function joinRows(rows: readonly Float32Array[]): Float32Array {
  if (rows.length === 1) return rows[0]!
  const joined = new Float32Array(rows.length * rows[0]!.length)
  for (const [index, row] of rows.entries()) joined.set(row, index * row.length)
  return joined
}

/** Milliseconds to two decimals. */
export function round(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100
}
