import { LongshoreError } from '../../lib/domain/errors.ts'
import { MOST_SEARCH_THREADS } from '../../lib/domain/shard-search.ts'
import { type Environment, readNumber } from '../settings.ts'

/** What only an index service is told by its environment. */
export type IndexSettings = {
  /** Threads that search: THREADS, or one per processor up to eight. */
  readonly threads: number
  /** SEARCH_KIND=exact, rather than `manifest`: all vectors are compared, whatever the manifest says. */
  readonly isExact: boolean
  /** Bytes that the values of items may take in memory so that they can be filtered by: FILTER_MEMORY_MB. */
  readonly filterBytes: number
  /** Time after which a generation rests that is not asked any more: REST_AFTER_SECONDS. */
  readonly restAfterMs: number
}

const PRESET_THREADS = 8
const PRESET_FILTER_MB = 256
/** Longer than a gateway that has asked its canary queries takes to be given queries of clients. */
export const PRESET_REST_SECONDS = 60
/** A month; timers end at 2^31 milliseconds. */
const MOST_REST_SECONDS = 2_000_000

/** Settings from the environment. Raises `usage` naming the variable and what was expected. */
export function readIndexSettings(env: Environment, processors: number): IndexSettings {
  const threads = readNumber(env, 'THREADS', Math.min(PRESET_THREADS, processors))
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_SEARCH_THREADS) {
    throw new LongshoreError('usage', `THREADS: expected a whole number from 1 to ${MOST_SEARCH_THREADS}`)
  }
  const kind = env.SEARCH_KIND || 'manifest'
  if (kind !== 'manifest' && kind !== 'exact') {
    throw new LongshoreError('usage', `SEARCH_KIND: expected "manifest" or "exact", found "${kind}"`)
  }
  const restAfter = readNumber(env, 'REST_AFTER_SECONDS', PRESET_REST_SECONDS)
  if (restAfter <= 0 || restAfter > MOST_REST_SECONDS) {
    throw new LongshoreError(
      'usage',
      `REST_AFTER_SECONDS: expected more than 0, ${MOST_REST_SECONDS} at most`,
    )
  }
  const megabytes = readNumber(env, 'FILTER_MEMORY_MB', PRESET_FILTER_MB)
  return {
    threads,
    isExact: kind === 'exact',
    filterBytes: Math.floor(megabytes * 2 ** 20),
    restAfterMs: restAfter * 1000,
  }
}
