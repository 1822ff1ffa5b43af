import { HttpError } from '../http/http-error.ts'

export type Question = {
  readonly generation: string
  /** Row-major [queries, dimensions] */
  readonly vectors: Float32Array
  readonly queries: number
  readonly k: number
  /** Hits with a lower score are left out. */
  readonly threshold?: number | undefined
  /** Rows (ascending) that may be found; all when undefined. Questions with the same list are searched together. */
  readonly rows?: Uint32Array | undefined
  /** Compares all vectors, whatever the kind of search. */
  readonly isExact?: boolean | undefined
  /** Time of `performance.now()` from which nobody can use the answer. */
  readonly deadline?: number | undefined
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** A question in the queue; `next` is the first of its queries that was not taken yet. */
export type Waiting<T> = { readonly question: Question; readonly task: T; next: number }

/** Queries of one question that are searched together with those of others. */
export type Slice<T> = { readonly waiting: Waiting<T>; readonly from: number; readonly count: number }

export type SearchQueue<T> = {
  /** Raises HttpError 503 `overloaded`, with nothing added. */
  add(question: Question, task: T): void
  /** The slices to search next, all of one such generation and the same k; none when nothing waits for any. */
  take(isPrepared: (generation: string) => boolean): Slice<T>[]
  /** Queries that wait. */
  length(): number
}

export type QueueOptions<T> = {
  /** Threads that share what waits. */
  readonly threads: number
  /** Told of every question that nobody can use the answer of any more. */
  readonly drop: (task: T, reason: HttpError) => void
}

/** Queries that may wait, so that memory and waiting times stay bounded. */
const MOST_WAITING = 1024
/** Queries that are searched together; more would let a single one wait too long. */
const MOST_TOGETHER = 16

/**
 * Questions in the order of their arrival. Those that wait for the same are taken together, an equal share for every
 * thread; every question gets its first query in before a large one gets many.
 */
export function createQueue<T>({ threads, drop }: QueueOptions<T>): SearchQueue<T> {
  let queue: Waiting<T>[] = []
  const length = () => queue.reduce((sum, { question, next }) => sum + question.queries - next, 0)
  const prune = () => {
    const reasons = queue.map(({ question }) => findReason(question))
    const dropped = queue.filter((_, index) => reasons[index])
    queue = queue.filter((_, index) => !reasons[index])
    for (const { question, task } of dropped) drop(task, findReason(question)!)
  }
  return {
    length,
    add(question, task) {
      if (length() + question.queries > MOST_WAITING) prune()
      const waiting = length()
      if (waiting + question.queries > MOST_WAITING) {
        throw new HttpError(503, 'overloaded', `${waiting} queries are waiting already`)
      }
      queue.push({ question, task, next: 0 })
    },
    take(isPrepared) {
      prune()
      const first = queue.find(({ question }) => isPrepared(question.generation))
      if (!first) return []
      const together = queue.filter(({ question }) => isAlike(question, first.question))
      const share = Math.min(MOST_TOGETHER, Math.ceil(length() / threads))
      const counts = shareOut(
        together.map(({ question, next }) => question.queries - next),
        share,
      )
      const slices = together.flatMap((waiting, index) => {
        const [from, count] = [waiting.next, counts[index]!]
        waiting.next += count
        return count > 0 ? [{ waiting, from, count }] : []
      })
      const isDone = ({ question, next }: Waiting<T>) => next >= question.queries
      const begun = slices.map(({ waiting }) => waiting)
      // What is left of a large question waits behind those that came after it.
      queue = [
        ...queue.filter((waiting) => !begun.includes(waiting)),
        ...begun.filter((waiting) => !isDone(waiting)),
      ]
      return slices
    },
  }
}

/** One for each as far as `total` reaches, the rest to the first ones; never more than is wanted. */
function shareOut(wanted: readonly number[], total: number): number[] {
  const counts = wanted.map((_, index) => (index < total ? 1 : 0))
  let left = total - counts.filter(Boolean).length
  for (const [index, most] of wanted.entries()) {
    const more = Math.max(0, Math.min(left, most - counts[index]!))
    counts[index]! += more
    left -= more
  }
  return counts
}

/** Whether questions are answered by one pass, each as it would be alone. */
function isAlike(a: Question, b: Question): boolean {
  return a.generation === b.generation && a.k === b.k && a.rows === b.rows && a.isExact === b.isExact
}

function findReason({ signal, deadline = Number.POSITIVE_INFINITY }: Question): HttpError | undefined {
  if (signal.aborted) return new HttpError(499, 'cancelled', 'the client has gone')
  if (performance.now() < deadline) return undefined
  return new HttpError(503, 'deadline', 'the deadline has passed before the search could begin')
}
