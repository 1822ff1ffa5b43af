import { Gauge, Histogram, type Registry } from 'prom-client'
import { SECONDS } from '../http/metrics.ts'
import type { Slice } from './search-queue.ts'
import type { SearchDone } from './search-worker.ts'
import type { Searcher } from './searcher.ts'

type Watched = Pick<Searcher, 'waiting' | 'prepared'>

export type IndexMetrics = {
  /** Notes what a thread has searched together. */
  observe(done: SearchDone, slices: readonly Slice<unknown>[]): void
  /** Tells where the numbers of waiting queries and prepared threads are read. */
  watch(searcher: Watched): void
}

const TOGETHER = [1, 2, 4, 8, 16]

/** Time that threads search, by kind of search, how many queries they search together, how many wait, and for what they are prepared. */
export function createIndexMetrics(register: Registry): IndexMetrics {
  const registers = [register]
  const seconds = new Histogram({
    name: 'longshore_search_seconds',
    help: 'Time that a thread searched for queries together',
    labelNames: ['generation', 'kind'],
    buckets: SECONDS,
    registers,
  })
  const together = new Histogram({
    name: 'longshore_search_queries',
    help: 'Queries that a thread searched together',
    buckets: TOGETHER,
    registers,
  })
  let watched: Watched | undefined
  new Gauge({
    name: 'longshore_queries_waiting',
    help: 'Queries that wait for a searching thread',
    registers,
    collect() {
      this.set(watched?.waiting() ?? 0)
    },
  })
  new Gauge({
    name: 'longshore_prepared_threads',
    help: 'Threads that hold what searching in a generation needs besides its files',
    labelNames: ['generation'],
    registers,
    collect() {
      this.reset()
      for (const [generation, threads] of watched?.prepared() ?? []) this.set({ generation }, threads)
    },
  })
  return {
    observe({ kind, milliseconds }, slices) {
      const { generation } = slices[0]!.waiting.question
      seconds.observe({ generation, kind }, milliseconds / 1000)
      together.observe(slices.reduce((sum, { count }) => sum + count, 0))
    },
    watch(searcher) {
      watched = searcher
    },
  }
}
