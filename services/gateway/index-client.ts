import type { Item } from '../../lib/adapters/generations/served-shard.ts'
import type { HttpClient } from '../../lib/adapters/http/client.ts'
import { UnreachableError } from '../../lib/adapters/http/unreachable.ts'
import { messageOf } from '../../lib/domain/errors.ts'
import type { GenerationRef } from '../../lib/domain/generation.ts'
import { type Group, indexServiceName } from '../../lib/domain/service.ts'
import { CLOCK, type Clock } from '../clock.ts'
import { HttpError } from '../http/http-error.ts'
import { askTask, isRefusal } from './ask-task.ts'
import type { Discovery } from './discovery.ts'
import { createHedgeBudget } from './hedge-budget.ts'
import { raceTasks } from './race-tasks.ts'
import { addOne, type ShardCounters } from './shard-counters.ts'
import { createTaskLoad } from './task-load.ts'
import { createTaskOrder } from './task-order.ts'
import { createUsualLatency } from './usual-latency.ts'

export type ShardHit = { readonly id: string; readonly score: number; readonly item: Item }

export type ShardQuery = {
  readonly cluster: number
  /** Row-major [queries, dimensions] */
  readonly vectors: Float32Array
  readonly k: number
  /** Least score of a hit. */
  readonly threshold?: number
  /** A checked filter, as the JSON that the client sent. */
  readonly filter?: string
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
  /** When the answer is of no use any more, by `performance.now()`. */
  readonly deadline: number
}

export type ShardAnswer = {
  /** For each query its hits, best first. */
  readonly hits: readonly (readonly ShardHit[])[]
  /** Time spent in searching alone. */
  readonly searchMs: number
  /** How the shard was searched. */
  readonly kind: string
  /** Who answered. */
  readonly endpoint: string
  /** Whether a second task was asked because the first was slow. */
  readonly hedged: boolean
}

/** Asks index services for the nearest items of one shard. */
export type IndexClient = (query: ShardQuery) => Promise<ShardAnswer>

export type IndexClientOptions = {
  readonly ref: GenerationRef
  /** Where the replicas of a shard are: in one service, or in one for each group. */
  readonly groups: readonly Group[]
  readonly discovery: Discovery
  readonly client: HttpClient
  /** How long one task may take before another one is asked. */
  readonly attemptMs: number
  /** Second requests for slow ones, as a share of all. */
  readonly hedgeShare: number
  readonly counters: ShardCounters
  readonly clock?: Clock
}

const SHORTEST_PAUSE_MS = 25
const LONGEST_PAUSE_MS = 200

/**
 * A client pinned to one generation. Among the tasks of a shard, the one expected to answer soonest is asked; see
 * raceTasks for those that are slow, silent or gone. All are tried again until the deadline (then UnreachableError). A
 * task that holds another generation, or another content under its name, is passed over; when tasks of every group are
 * known and each of them does, HttpError 502 tells which. HttpError 413 when tasks refuse the question itself.
 */
export function createIndexClient(options: IndexClientOptions): IndexClient {
  const { ref, client, discovery, groups, attemptMs, counters, clock = CLOCK } = options
  const load = createTaskLoad(clock.now)
  const order = createTaskOrder(clock.now, load.expectedWait)
  const tasks = { load, order, clock, budget: createHedgeBudget(options.hedgeShare) }
  const usual = createUsualLatency(clock.now)
  const counterOf = { hedge: counters.hedges, retry: counters.retries, failure: counters.failures }

  return async (query) => {
    const { cluster, deadline, signal } = query
    const services = groups.map((group) => indexServiceName(cluster, group))
    const kind = describeWork(query)
    const leftMs = () => deadline - clock.now()
    tasks.budget.earn()
    for (let pauseMs = SHORTEST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const begun = clock.now()
      const known = services.map((service) => discovery.endpointsOf(service))
      const outcome = await raceTasks(
        {
          endpoints: order.arrange(interleave(known)),
          ask: (endpoint, aborted) =>
            askTask(endpoint, { query, ref, client, leftMs: Math.min(attemptMs, leftMs()), signal: aborted }),
          usualMs: usual.of(kind),
          attemptMs,
          leftMs: leftMs(),
          signal,
          note: (what) => addOne(counterOf[what], cluster),
        },
        tasks,
      )
      if ('answer' in outcome) {
        // How long it takes to leave somebody who failed says nothing of how long answers take.
        if (!outcome.isRetried) usual.note(kind, clock.now() - begun)
        return outcome.answer
      }
      const failures = [...describeUnknown(services, known), ...outcome.failures]
      const last = failures.at(-1)
      if (isRefusal(last)) throw last
      if (failures.every((failure) => failure instanceof HttpError)) throw last
      if (signal.aborted || leftMs() <= pauseMs) {
        throw new UnreachableError(`${services[0]}: ${messageOf(last)}`, last)
      }
      await new Promise<void>((resolve) => void clock.after(pauseMs, resolve))
      discovery.refresh()
    }
  }
}

/** Requests that take alike are compared with each other: of one shard, and of about as many vectors. */
function describeWork({ cluster, vectors, filter }: ShardQuery): string {
  return `${cluster} ${Math.ceil(Math.log2(vectors.length))} ${filter === undefined ? '' : 'filtered'}`
}

/** Neighbours are of different groups: what fails together does not stand together. */
function interleave(groups: readonly (readonly string[])[]): string[] {
  const longest = Math.max(...groups.map((addresses) => addresses.length))
  return Array.from({ length: longest }, (_, at) => groups.flatMap((addresses) => addresses[at] ?? [])).flat()
}

function describeUnknown(
  services: readonly string[],
  known: readonly (readonly string[])[],
): UnreachableError[] {
  return services
    .filter((_, index) => known[index]!.length === 0)
    .map((service) => new UnreachableError(`no task of ${service} is known`))
}
