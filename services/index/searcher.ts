import { startThread, type Thread } from '../../lib/adapters/generations/thread.ts'
import type { ShardKind } from '../../lib/domain/shard-search.ts'
import type { Log } from '../http/log.ts'
import { createDemand } from './demand.ts'
import type { IndexMetrics } from './index-metrics.ts'
import { PRESET_REST_SECONDS } from './index-settings.ts'
import { createQueue, type Question, type Slice } from './search-queue.ts'
import type { GoldenOfShard, OpenJob, SearchDone, SearchHandlers } from './search-worker.ts'
import { createSeats, type Seat } from './seats.ts'
import { endWithThread } from './thread-lost.ts'

export type Found = {
  /** JSON `[[{"id","score","item"}]]` in pieces: a list of hits for each query. */
  readonly hits: readonly Uint8Array[]
  readonly kind: ShardKind
  /** How long the threads searched for it, together with what was searched along with it. */
  readonly searchMs: number
}

/** Searches in threads, so that the event loop stays free. */
export type Searcher = {
  open(job: OpenJob): Promise<void>
  /** Raises HttpError 503 `overloaded` or `deadline`. */
  search(question: Question): Promise<Found>
  readGolden(generation: string): Promise<GoldenOfShard>
  /** Queries that wait for a thread. */
  waiting(): number
  /** Threads that are prepared for each generation. */
  prepared(): ReadonlyMap<string, number>
}

export type SearcherOptions = {
  readonly metrics?: IndexMetrics
  readonly log?: Log
  /** Time after which a generation rests that is not asked any more. */
  readonly restAfterMs?: number
}

type Task = {
  readonly pieces: (Uint8Array | undefined)[]
  left: number
  searchMs: number
  resolve(found: Found): void
  reject(error: unknown): void
}

const [OPEN, COMMA, CLOSE] = ['[', ',', ']'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer]

/** Threads that search; all map the same files. */
export function startSearchThreads(count: number): Thread<SearchHandlers>[] {
  const url = new URL('./search-worker.ts', import.meta.url)
  return Array.from({ length: count }, () => startThread<SearchHandlers>(url, endWithThread))
}

/** How often in its time a generation that is not asked any more is looked for. */
const LOOKS = 4

/**
 * A searcher with these threads. Requests that wait meanwhile for the same share a pass over the vectors. Threads are
 * prepared for what is asked, and rest from what is not any more, one thread at a time while the others search.
 */
export function createSearcher(
  threads: readonly Seat['thread'][],
  { metrics, log = () => undefined, restAfterMs = PRESET_REST_SECONDS * 1000 }: SearcherOptions = {},
): Searcher {
  const queue = createQueue<Task>({
    threads: threads.length,
    drop: ({ reject }, reason) => reject(reason),
  })
  const demand = createDemand(restAfterMs)
  const findSearch = ({ thread, prepared }: Seat) => {
    const slices = queue.take((generation) => prepared.has(generation))
    return slices.length > 0 ? () => searchIn(thread, slices) : undefined
  }
  const searchIn = async (thread: Seat['thread'], slices: readonly Slice<Task>[]): Promise<void> => {
    try {
      const job = joinSlices(slices)
      const done = await thread.call('search', job, [job.vectors.buffer])
      metrics?.observe(done, slices)
      for (const [index, slice] of slices.entries()) finish(slice, done, done.hits[index]!)
    } catch (error) {
      for (const { waiting } of slices) waiting.task.reject(error)
    }
  }
  const all = threads.map((thread): Seat => ({ thread, prepared: new Set() }))
  const seats = createSeats(all, { demand, log, findSearch })
  setInterval(seats.proceed, restAfterMs / LOOKS).unref()
  return {
    open: async (job) => {
      await Promise.all(threads.map((thread) => thread.call('open', job)))
      for (const { generation } of job.manifests) {
        for (const { prepared } of all) prepared.add(generation)
        demand.begin(generation)
        demand.end(generation)
      }
    },
    readGolden: (generation) => threads[0]!.call('readGolden', generation),
    waiting: queue.length,
    prepared: seats.prepared,
    search: (question) => {
      const answer = new Promise<Found>((resolve, reject) => {
        const pieces = new Array<undefined>(question.queries)
        queue.add(question, { pieces, left: question.queries, searchMs: 0, resolve, reject })
      })
      demand.begin(question.generation)
      seats.proceed()
      return answer.finally(() => demand.end(question.generation))
    },
  }
}

/** Notes the hits of a slice, and answers its request when they were the last ones. */
function finish({ waiting, from, count }: Slice<Task>, done: SearchDone, hits: Uint8Array): void {
  const { task } = waiting
  task.pieces[from] = hits
  task.left -= count
  task.searchMs += done.milliseconds
  if (task.left > 0) return
  const pieces = task.pieces.filter((piece) => piece !== undefined)
  const joined = pieces.flatMap((piece, index) => (index === 0 ? [piece] : [COMMA, piece]))
  task.resolve({ hits: [OPEN, ...joined, CLOSE], kind: done.kind, searchMs: task.searchMs })
}

function joinSlices(slices: readonly Slice<unknown>[]) {
  const { generation, k, rows, isExact = false, vectors: some, queries } = slices[0]!.waiting.question
  const dimensions = some.length / queries
  const total = slices.reduce((sum, { count }) => sum + count, 0)
  const vectors = new Float32Array(total * dimensions)
  let at = 0
  for (const { waiting, from, count } of slices) {
    vectors.set(waiting.question.vectors.subarray(from * dimensions, (from + count) * dimensions), at)
    at += count * dimensions
  }
  const parts = slices.map(({ waiting, count }) => ({
    queries: count,
    threshold: waiting.question.threshold ?? Number.NEGATIVE_INFINITY,
  }))
  return { generation, vectors, k, rows, isExact, parts }
}
