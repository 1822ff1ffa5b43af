import type { GenerationRef } from '../../lib/domain/generation.ts'
import type { AnswerCache } from './answer-cache.ts'
import { keysOf, type NormalizeText } from './answer-key.ts'
import { createFlights } from './flights.ts'
import type { GatewayMetrics } from './gateway-metrics.ts'
import type { Result, Search, Trace } from './search.ts'
import type { Queries, SearchOptions } from './search-body.ts'
import { round, type Waiting } from './shard-round.ts'

/** The JSON of a Result, and whether all clusters have answered. */
export type Answer = { readonly json: string; readonly isComplete: boolean }

/** How answers were found, the time of embedding included. */
export type Explanation = Omit<Trace, 'stages'> & {
  readonly stages: Trace['stages'] & { readonly embedMs: number }
}

/** Answers queries, each by a search only if the same one was not answered before and is not under way. */
export type Answers = {
  /** An answer for each query. `gone` aborts when the client has gone. Raises what a search raises. */
  ask(queries: Queries, options: SearchOptions, gone: AbortSignal): Promise<readonly Answer[]>
  /** As `ask`, by a search of its own, with how it went. */
  explain(
    queries: Queries,
    options: SearchOptions,
    gone: AbortSignal,
  ): Promise<{ readonly answers: readonly Answer[]; readonly explanation: Explanation }>
}

export type AnswersParts = {
  readonly ref: GenerationRef
  readonly search: Search
  readonly cache: AnswerCache
  readonly normalize: NormalizeText
  readonly metrics: GatewayMetrics
  /** How long a search may take. */
  readonly timeoutMs: number
}

/** With the policy `partial`, who has not answered by then is missing, so that the client still waits for the rest. */
const PARTIAL_SHARE = 0.5

export function createAnswers({ ref, search, cache, normalize, metrics, timeoutMs }: AnswersParts): Answers {
  const run = async (queries: Queries, options: SearchOptions, signal: AbortSignal) => {
    const begun = performance.now()
    const waiting: Waiting = { signal, deadline: begun + timeoutMs }
    const vectors = 'texts' in queries ? await search.embed(queries.texts, waiting) : queries.vectors
    const embedMs = performance.now() - begun
    if ('texts' in queries) metrics.observeStage('embed', embedMs)
    const deadline = begun + timeoutMs * (options.partial === 'partial' ? PARTIAL_SHARE : 1)
    const { results, trace } = await search.find(vectors, options, { signal, deadline })
    const answers = results.map(renderAnswer)
    const complete = answers.filter(({ isComplete }) => isComplete).length
    metrics.countAnswers('complete', complete)
    metrics.countAnswers('partial', answers.length - complete)
    return { answers, explanation: { ...trace, stages: { embedMs: round(embedMs), ...trace.stages } } }
  }
  const flights = createFlights<Answer>()
  const runAndKeep = async (
    keys: readonly string[],
    ...[queries, options, signal]: Parameters<typeof run>
  ) => {
    const { answers } = await run(queries, options, signal)
    for (const [at, { json, isComplete }] of answers.entries()) if (isComplete) cache.set(keys[at]!, json)
    return answers
  }
  const countLookUps = (queries: number, { hits, misses }: { hits: number; misses: number }) => {
    metrics.countLookUps('hit', hits)
    metrics.countLookUps('miss', misses)
    metrics.countLookUps('shared', queries - hits - misses)
  }

  return {
    explain: run,
    async ask(queries, options, gone) {
      const keys = keysOf(queries, options, { ref, normalize })
      const known = readKnown(keys, cache)
      const open = [...new Set(keys)].filter((key) => !known.has(key))
      const fresh = open.filter((key) => !flights.has(key))
      const hits = keys.filter((key) => known.has(key)).length
      countLookUps(keys.length, { hits, misses: fresh.length })
      if (fresh.length > 0) {
        const positions = fresh.map((key) => keys.indexOf(key))
        flights.start(fresh, (signal) => runAndKeep(fresh, pick(queries, positions), options, signal))
      }
      const found = await flights.join(open, gone)
      return keys.map((key) => known.get(key) ?? found.get(key)!)
    },
  }
}

function readKnown(keys: readonly string[], cache: AnswerCache): ReadonlyMap<string, Answer> {
  const entries = [...new Set(keys)].map((key) => [key, cache.get(key)] as const)
  return new Map(
    entries.flatMap(([key, json]) => (json === undefined ? [] : [[key, { json, isComplete: true }]])),
  )
}

function pick(queries: Queries, positions: readonly number[]): Queries {
  return 'texts' in queries
    ? { texts: positions.map((at) => queries.texts[at]!) }
    : { vectors: positions.map((at) => queries.vectors[at]!) }
}

function renderAnswer(result: Result): Answer {
  return { json: JSON.stringify(result), isComplete: result.coverage.complete }
}
