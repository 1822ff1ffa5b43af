import { startThread, type Thread } from '../../lib/adapters/generations/thread.ts'
import type { Filter } from '../../lib/domain/filter.ts'
import { HttpError } from '../http/http-error.ts'
import type { FilterHandlers, FilterJob } from './filter-worker.ts'
import { KeptBytes } from './kept-bytes.ts'
import { endWithThread } from './thread-lost.ts'

/** Tells which rows match a filter. */
export type Filters = {
  /**
   * The rows (ascending) of a generation's shard, in shared memory; the same list for the same filter, as long as it is
   * kept. Raises HttpError 413 `filter_too_large` naming the member whose values cannot be held, 503 `overloaded`.
   */
  rowsOf(generation: string, filter: Filter): Promise<Uint32Array>
}

/** Questions that may wait for the thread. */
const MOST_WAITING = 256

/** Filters over the items that `job` tells, in a thread that is started when it is first needed. */
export function createFilters(job: FilterJob): Filters {
  const kept = new KeptBytes<Uint32Array>(job.limit)
  const asked = new Map<string, Promise<Uint32Array>>()
  let waiting = 0
  let thread: Promise<Thread<FilterHandlers>> | undefined

  const match = async (generation: string, filter: Filter): Promise<Uint32Array> => {
    thread ??= start(job)
    const found = await (await thread).call('match', { generation, filter })
    if ('rows' in found) return found.rows
    const what = `the values of ${found.tooLarge} take more than ${job.limit >> 20} MiB`
    throw new HttpError(413, 'filter_too_large', `filter: ${what} and cannot be held`)
  }
  const ask = async (key: string, generation: string, filter: Filter): Promise<Uint32Array> => {
    try {
      const rows = await match(generation, filter)
      kept.set(key, rows, rows.byteLength)
      return rows
    } finally {
      asked.delete(key)
    }
  }
  return {
    async rowsOf(generation, filter) {
      const key = `${generation} ${JSON.stringify(filter)}`
      const known = kept.get(key)
      if (known) return known
      if (waiting >= MOST_WAITING) {
        throw new HttpError(503, 'overloaded', `${waiting} filters are waiting already`)
      }
      waiting++
      const rows = asked.get(key) ?? ask(key, generation, filter)
      asked.set(key, rows)
      return rows.finally(() => {
        waiting--
      })
    },
  }
}

async function start(job: FilterJob): Promise<Thread<FilterHandlers>> {
  const url = new URL('./filter-worker.ts', import.meta.url)
  const thread = startThread<FilterHandlers>(url, endWithThread)
  await thread.call('open', job)
  return thread
}
