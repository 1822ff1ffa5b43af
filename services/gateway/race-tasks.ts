import { UnreachableError } from '../../lib/adapters/http/unreachable.ts'
import type { Clock } from '../clock.ts'
import { BusyError, isRefusal } from './ask-task.ts'
import type { HedgeBudget } from './hedge-budget.ts'
import type { ShardAnswer } from './index-client.ts'
import type { TaskLoad } from './task-load.ts'
import type { TaskOrder } from './task-order.ts'

/** What is known of tasks, shared by all requests. */
export type Tasks = {
  readonly order: TaskOrder
  readonly load: TaskLoad
  readonly budget: HedgeBudget
  readonly clock: Clock
}

export type Race = {
  /** In the order in which they are asked. */
  readonly endpoints: readonly string[]
  readonly ask: (endpoint: string, signal: AbortSignal) => Promise<ShardAnswer>
  /** How long an answer takes at most, usually; then another task may be asked too. */
  readonly usualMs: number
  /** How long one task may take before it is given up. */
  readonly attemptMs: number
  /** How long an answer is of use. */
  readonly leftMs: number
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
  readonly note: (what: 'hedge' | 'retry' | 'failure') => void
}

/** The first answer, and whether somebody failed before or fell silent; or why each of those asked gave none. */
export type Outcome =
  | { readonly answer: ShardAnswer; readonly isRetried: boolean }
  | { readonly failures: readonly unknown[] }

/** Made once: an abort without a reason makes an error with a stack, for every request. */
const OVER = new Error('another task has answered')

/**
 * Asks one task after the other until one answers: the next at once when one fails; beside one that is late, once in a
 * race and within the budget; beside one that has fallen silent, whatever was spent. The first answer wins, and the other
 * request is aborted.
 */
export function raceTasks(race: Race, tasks: Tasks): Promise<Outcome> {
  const waiting = [...race.endpoints]
  const failures: unknown[] = []
  const over = new AbortController()
  let running = 0
  let isHedged = false
  let isRetried = false
  return new Promise((resolve) => {
    const settle = (outcome: Outcome) => {
      cancelDeadline()
      race.signal.removeEventListener('abort', giveUp)
      resolve(outcome)
      over.abort(OVER)
    }
    const giveUp = () => settle({ failures: [...failures, new UnreachableError('no answer in time')] })
    const fail = (error: unknown) => {
      running--
      if (over.signal.aborted) return
      failures.push(error)
      if (isRefusal(error)) return settle({ failures })
      race.note('failure')
      if (waiting.length > 0) askNext('retry')
      else if (running === 0) settle({ failures })
    }
    const askNext = (why?: 'hedge' | 'retry') => {
      if (why) race.note(why)
      isHedged ||= why === 'hedge'
      isRetried ||= why === 'retry'
      running++
      const endpoint = waiting.shift()!
      const onLate = () => considerSecond(endpoint)
      askOnce(endpoint, { ...race, signal: over.signal, onLate }, tasks).then(
        (answer) => settle({ answer: { ...answer, hedged: isHedged }, isRetried }),
        fail,
      )
    }
    const considerSecond = (late: string) => {
      const { order, budget } = tasks
      const [next] = waiting
      if (running > 1 || next === undefined) return
      if (order.isResting(late)) askNext('retry')
      else if (!isHedged && !order.isResting(next) && budget.spend()) askNext('hedge')
    }
    const cancelDeadline = tasks.clock.after(race.leftMs, giveUp)
    race.signal.addEventListener('abort', giveUp)
    if (race.signal.aborted) giveUp()
    else if (waiting.length === 0) settle({ failures })
    else askNext()
  })
}

type Attempt = Omit<Race, 'endpoints' | 'note' | 'leftMs'> & { readonly onLate: () => void }

/** Asks one task, and notes what that tells of it. `onLate` is called again and again while the answer is late. */
async function askOnce(
  endpoint: string,
  attempt: Attempt,
  { order, load, clock }: Tasks,
): Promise<ShardAnswer> {
  const { usualMs, attemptMs, signal, onLate } = attempt
  const begun = clock.now()
  const controller = new AbortController()
  const stop = () => controller.abort()
  signal.addEventListener('abort', stop)
  const cancelTimeout = clock.after(attemptMs, stop)
  const watch = () =>
    clock.after(usualMs, () => {
      cancelWatch = watch()
      order.doubt(endpoint, usualMs)
      onLate()
    })
  let cancelWatch = watch()
  load.begin(endpoint)
  try {
    const answer = await attempt.ask(endpoint, controller.signal)
    load.end(endpoint, clock.now() - begun)
    order.trust(endpoint)
    return answer
  } catch (error) {
    // Who was given up would have taken longer still; how fast somebody failed says nothing.
    load.end(endpoint, controller.signal.aborted ? clock.now() - begun : undefined)
    const isThere = error instanceof BusyError || isRefusal(error)
    if (!signal.aborted && !isThere) order.rest(endpoint)
    throw error
  } finally {
    cancelTimeout()
    cancelWatch()
    signal.removeEventListener('abort', stop)
  }
}
