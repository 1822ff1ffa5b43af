/** Runs jobs of several requests together. */
export type Batcher<Job, Outcome> = {
  /** The outcomes of these jobs; undefined where too many wait already. Raises what running them raises. */
  add(jobs: readonly Job[]): Promise<readonly Outcome[]> | undefined
  /** Jobs that wait or are run. */
  size(): number
}

export type BatcherOptions<Job, Outcome> = {
  readonly run: (jobs: readonly Job[]) => Promise<readonly Outcome[]>
  /** Jobs that are worth a run at once. */
  readonly most: number
  /** How long fewer wait for others. */
  readonly waitMs: number
  /** Jobs that may wait or be run. */
  readonly limit: number
}

type Entry<Job, Outcome> = {
  readonly jobs: readonly Job[]
  resolve(outcomes: readonly Outcome[]): void
  reject(error: unknown): void
}

/**
 * Collects requests for a few milliseconds, or until they are worth a run, or while the former run lasts: alone, a request waits
 * little, and under load runs are as large as they are worth. Requests are joined whole, in the order in which they came.
 */
export function createBatcher<Job, Outcome>(options: BatcherOptions<Job, Outcome>): Batcher<Job, Outcome> {
  const { run, most, waitMs, limit } = options
  const waiting: Entry<Job, Outcome>[] = []
  let size = 0
  let isRunning = false
  let timer: NodeJS.Timeout | undefined

  const runWaiting = async () => {
    clearTimeout(timer)
    timer = undefined
    if (isRunning || waiting.length === 0) return
    isRunning = true
    const entries = takeBatch(waiting, most)
    await runEntries(entries, run)
    size -= countJobs(entries)
    isRunning = false
    void runWaiting()
  }
  return {
    size: () => size,
    add(jobs) {
      if (size + jobs.length > limit) return undefined
      size += jobs.length
      const outcomes = new Promise<readonly Outcome[]>((resolve, reject) =>
        waiting.push({ jobs, resolve, reject }),
      )
      if (countJobs(waiting) >= most) void runWaiting()
      else timer ??= setTimeout(runWaiting, waitMs)
      return outcomes
    },
  }
}

/** Takes requests off the queue as long as they fit together; the first one always. */
function takeBatch<Job, Outcome>(waiting: Entry<Job, Outcome>[], most: number): Entry<Job, Outcome>[] {
  let jobs = 0
  const end = waiting.findIndex((entry, index) => {
    jobs += entry.jobs.length
    return index > 0 && jobs > most
  })
  return waiting.splice(0, end < 0 ? waiting.length : end)
}

async function runEntries<Job, Outcome>(
  entries: readonly Entry<Job, Outcome>[],
  run: BatcherOptions<Job, Outcome>['run'],
): Promise<void> {
  try {
    const outcomes = await run(entries.flatMap(({ jobs }) => jobs))
    let next = 0
    for (const { jobs, resolve } of entries) {
      resolve(outcomes.slice(next, next + jobs.length))
      next += jobs.length
    }
  } catch (error) {
    for (const { reject } of entries) reject(error)
  }
}

function countJobs(entries: readonly { readonly jobs: readonly unknown[] }[]): number {
  return entries.reduce((total, { jobs }) => total + jobs.length, 0)
}
