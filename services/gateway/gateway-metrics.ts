import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { HttpError } from '../http/http-error.ts'
import { SECONDS } from '../http/metrics.ts'
import type { AnswerCache } from './answer-cache.ts'
import type { ShardCounters } from './shard-counters.ts'

export type Stage = 'embed' | 'route' | 'shard' | 'search' | 'merge'

/** What a gateway counts besides its requests. */
export type GatewayMetrics = {
  /** `shard` is one shard's answer, `search` the slowest one's and all that are asked again. */
  observeStage(stage: Stage, milliseconds: number): void
  /** A cluster that has not answered a query at all, whoever was asked. */
  countMissing(cluster: number, failure: Error): void
  countAnswers(coverage: 'complete' | 'partial', answers: number): void
  /** Queries answered from the cache, by a search that was under way for the same query, or by one of their own. */
  countLookUps(outcome: 'hit' | 'shared' | 'miss', queries: number): void
}

/** Clusters with a number of their own; those above count as one, so that the page stays small. */
const MOST_CLUSTERS = 256
const FASTER = [0.00005, 0.0001, 0.00025, 0.0005]

/** Measures of a gateway on its /metrics page; every label has a bounded number of values. */
export function createGatewayMetrics(
  register: Registry,
  { counters, cache }: { readonly counters: ShardCounters; readonly cache: AnswerCache },
): GatewayMetrics {
  const registers = [register]
  const stages = new Histogram({
    name: 'longshore_stage_seconds',
    help: 'Time of each stage of a search',
    labelNames: ['stage'],
    buckets: [...FASTER, ...SECONDS],
    registers,
  })
  const count = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers })
  const missing = count('longshore_shard_missing_total', 'Queries that a cluster did not answer', [
    'cluster',
    'code',
  ])
  const answers = count('longshore_answers_total', 'Answers found by searching', ['coverage'])
  const lookUps = count('longshore_cache_queries_total', 'Queries by how they were answered', ['outcome'])
  addShardCounters(register, counters)
  addCacheSize(register, cache)
  return {
    observeStage: (stage, milliseconds) => stages.observe({ stage }, milliseconds / 1000),
    countMissing(cluster, failure) {
      const code = failure instanceof HttpError ? failure.code : 'unreachable'
      missing.inc({ cluster: labelOf(cluster), code })
    },
    countAnswers: (coverage, amount) => answers.inc({ coverage }, amount),
    countLookUps: (outcome, amount) => lookUps.inc({ outcome }, amount),
  }
}

const SHARD_HELP: Readonly<Record<keyof ShardCounters, string>> = {
  hedges: 'Second requests sent because the first was slow',
  retries: 'Requests sent again because a task failed or fell silent',
  failures: 'Requests that a task did not answer, or not rightly',
}

function addShardCounters(register: Registry, counters: ShardCounters): void {
  for (const [name, help] of Object.entries(SHARD_HELP)) {
    new Counter({
      name: `longshore_shard_${name}_total`,
      help,
      labelNames: ['cluster'],
      registers: [register],
      collect() {
        this.reset()
        for (const [cluster, value] of counters[name as keyof ShardCounters]) {
          this.inc({ cluster: labelOf(cluster) }, value)
        }
      },
    })
  }
}

function addCacheSize(register: Registry, cache: AnswerCache): void {
  const registers = [register]
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  gauge('longshore_cache_entries', 'Answers in the cache', () => cache.size().entries)
  gauge('longshore_cache_bytes', 'Memory of the answers in the cache, as counted', () => cache.size().bytes)
}

function labelOf(cluster: number): string {
  return cluster < MOST_CLUSTERS ? String(cluster) : 'other'
}
