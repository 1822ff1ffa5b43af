import { startThread } from '../../lib/adapters/generations/thread.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { HttpError } from '../http/http-error.ts'
import type { GoldenOfShard, OpenJob, SearchHandlers } from './search-worker.ts'

export type Request = {
  readonly generation: string
  /** Row-major [queries, dimensions] */
  readonly vectors: Float32Array
  readonly queries: number
  readonly k: number
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** Searches in a thread, so that the event loop stays free. */
export type Searcher = {
  open(job: OpenJob): Promise<void>
  /** JSON `[[{"id","score","item"}]]`. Raises HttpError 503 `overloaded`. */
  search(request: Request): Promise<Uint8Array>
  readGolden(generation: string): Promise<GoldenOfShard>
}

type Waiting = Request & { resolve(hits: Uint8Array): void; reject(error: unknown): void }

const MOST_WAITING = 512
/** Queries of waiting requests that are searched together; more would let a single one wait too long. */
const MOST_TOGETHER = 16

/** A searcher with one thread. Requests that wait meanwhile for the same generation share a pass over its vectors. */
export function createSearcher(): Searcher {
  const thread = startThread<SearchHandlers>(new URL('./search-worker.ts', import.meta.url))
  const waiting: Waiting[] = []
  let isBusy = false

  const searchNext = async (): Promise<void> => {
    if (isBusy) return
    const batch = takeBatch(waiting)
    if (batch.length === 0) return
    isBusy = true
    try {
      const vectors = joinVectors(batch.map((request) => request.vectors))
      const parts = batch.map(({ queries, k }) => ({ queries, k }))
      const { generation } = batch[0]!
      const answers = await thread.call('search', { generation, vectors, parts }, [vectors.buffer])
      for (const [index, { resolve }] of batch.entries()) resolve(answers[index]!)
    } catch (error) {
      for (const { reject } of batch) reject(error)
      if (isThreadLost(error)) throw error
    }
    isBusy = false
    void searchNext()
  }
  return {
    open: (job) => thread.call('open', job),
    readGolden: (generation) => thread.call('readGolden', generation),
    search: (request) =>
      new Promise((resolve, reject) => {
        if (waiting.length >= MOST_WAITING) {
          throw new HttpError(503, 'overloaded', `${waiting.length} requests are waiting already`)
        }
        waiting.push({ ...request, resolve, reject })
        void searchNext()
      }),
  }
}

/** Whether the thread has ended: nothing will be answered any more, so the process has to end too. */
function isThreadLost(error: unknown): boolean {
  if (error instanceof LongshoreError) return error.kind === 'interrupted'
  return String((error as NodeJS.ErrnoException).code).startsWith('ERR_WORKER')
}

/** Removes the next requests that can be searched together, and those that nobody waits for any more. */
function takeBatch(waiting: Waiting[]): Waiting[] {
  const batch: Waiting[] = []
  let queries = 0
  for (let next = waiting[0]; next; next = waiting[0]) {
    if (next.signal.aborted) next.reject(new HttpError(499, 'cancelled', 'the client has gone'))
    else {
      const isFitting = next.generation === batch[0]?.generation && queries + next.queries <= MOST_TOGETHER
      if (batch.length > 0 && !isFitting) break
      batch.push(next)
      queries += next.queries
    }
    waiting.shift()
  }
  return batch
}

function joinVectors(list: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const joined = new Float32Array(list.reduce((sum, vectors) => sum + vectors.length, 0))
  let at = 0
  for (const vectors of list) {
    joined.set(vectors, at)
    at += vectors.length
  }
  return joined
}
