import { startThread, type Thread } from '../../lib/adapters/generations/thread.ts'
import type { ShardKind } from '../../lib/domain/shard-search.ts'
import type { IndexMetrics } from './index-metrics.ts'
import { createQueue, type Question, type Slice } from './search-queue.ts'
import type { GoldenOfShard, OpenJob, SearchDone, SearchHandlers } from './search-worker.ts'
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

/** A searcher with these threads. Requests that wait meanwhile for the same share a pass over the vectors. */
export function createSearcher(
  threads: readonly Pick<Thread<SearchHandlers>, 'call'>[],
  metrics?: IndexMetrics,
): Searcher {
  const idle = [...threads]
  const queue = createQueue<Task>({
    threads: threads.length,
    drop: ({ reject }, reason) => reject(reason),
  })

  const searchNext = (): void => {
    for (let slices = idle.length > 0 ? queue.take() : []; slices.length > 0; ) {
      void searchIn(idle.pop()!, slices)
      slices = idle.length > 0 ? queue.take() : []
    }
  }
  const searchIn = async (thread: (typeof idle)[number], slices: readonly Slice<Task>[]): Promise<void> => {
    try {
      const job = joinSlices(slices)
      const done = await thread.call('search', job, [job.vectors.buffer])
      metrics?.observe(done, slices)
      for (const [index, slice] of slices.entries()) finish(slice, done, done.hits[index]!)
    } catch (error) {
      for (const { waiting } of slices) waiting.task.reject(error)
    }
    idle.push(thread)
    searchNext()
  }
  return {
    open: async (job) => {
      await Promise.all(threads.map((thread) => thread.call('open', job)))
    },
    readGolden: (generation) => threads[0]!.call('readGolden', generation),
    waiting: queue.length,
    search: (question) =>
      new Promise((resolve, reject) => {
        const pieces = new Array<undefined>(question.queries)
        queue.add(question, { pieces, left: question.queries, searchMs: 0, resolve, reject })
        searchNext()
      }),
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
