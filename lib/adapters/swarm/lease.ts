import { setImmediate as nextTurn } from 'node:timers/promises'
import { canonicalJson, type Json } from '../../domain/canonical-json.ts'
import { LongshoreError } from '../../domain/errors.ts'
import { type Hold, type Memory, withoutHold, withRenewal } from '../../domain/swarm-memory.ts'
import type { Lease } from '../../ports/state-store.ts'
import type { MemoryLog } from './memory-log.ts'

/** A lease, and the only way to change the fleet's memory while it is held. */
export interface HeldLease extends Lease {
  /** The newest state, which nobody else can have written; undefined once the lease is lost or given back. */
  peek(): Memory | undefined
  /** Writes the next state; what is asked for at once, or meanwhile, is one state. Raises `locked` when the lease was lost or given back. */
  advance(edit: Edit): Promise<void>
  /** Raises `locked` unless the lease is held, now, in the Swarm's own memory. */
  confirm(signal: AbortSignal): Promise<void>
}

type Edit = (memory: Memory) => Memory

export type LeaseSettings = { readonly log: MemoryLog; readonly leaseMs: number }

/** A state that this process has written. */
export type Written = { readonly number: number; readonly memory: Memory }

/**
 * Keeps a lease alive at every third of its time. It is lost when somebody else has written, and not before: while no
 * manager answers nobody can, and whatever is changed under it asks at that moment who holds the lock.
 */
export function keepLease(written: Written, { log, leaseMs }: LeaseSettings): HeldLease {
  const { fence, writer } = written.memory
  const lost = new AbortController()
  let last = written
  let isReleased = false
  let queue: Promise<unknown> = Promise.resolve()

  const lose = (hold: Hold | null) => {
    clearInterval(renewals)
    lost.abort(describeLoss(hold))
    return lost.signal.reason as LongshoreError
  }
  const write = async (edit: Edit, signal: AbortSignal): Promise<void> => {
    if (isReleased) throw new LongshoreError('locked', 'the lock was given back')
    for (;;) {
      signal.throwIfAborted()
      const memory = edit(last.memory)
      const number = last.number + 1
      const isFirst = await log.create(number, memory, { signal })
      const head = isFirst ? { number, memory } : await log.readHead({ signal })
      if (!isOwn(head)) throw lose(head.memory.hold)
      last = head
      // Otherwise an answer was lost on the way: what was believed to have failed is written.
      if (head.number === number && isSame(head.memory, memory)) return
    }
  }
  const isOwn = ({ memory }: Written) => memory.fence === fence && memory.writer === writer
  const inTurn = (work: () => Promise<void>) => {
    const turn = queue.then(work, work)
    queue = turn.catch(() => undefined)
    return turn
  }
  let waiting: { readonly edits: Edit[]; readonly written: Promise<void> } | undefined
  const advance = (edit: Edit) => {
    if (waiting) {
      waiting.edits.push(edit)
      return waiting.written
    }
    const edits = [edit]
    const written = inTurn(async () => {
      await nextTurn()
      waiting = undefined
      await write((memory) => edits.reduce((former, next) => next(former), memory), lost.signal)
    })
    waiting = { edits, written }
    return written
  }
  const limit = () => AbortSignal.any([lost.signal, AbortSignal.timeout(leaseMs)])
  const renew = async () => {
    if (isReleased || lost.signal.aborted) return
    await write((memory) => withRenewal(memory, new Date().toISOString()), limit())
    if (last.number % 5 === 0) await log.prune(last.number, { signal: limit() })
  }
  let isRenewing = false
  // What fails is tried again at the next turn. One at a time: nothing else may wait behind many that fail.
  const renewals = setInterval(() => {
    if (isRenewing) return
    isRenewing = true
    const done = () => {
      isRenewing = false
    }
    inTurn(renew).then(done, done)
  }, leaseMs / 3).unref()

  return {
    fence,
    lost: lost.signal,
    peek: () => (isReleased || lost.signal.aborted ? undefined : last.memory),
    advance,
    async confirm(signal) {
      lost.signal.throwIfAborted()
      // Nobody has written since.
      if (!isReleased && (await log.readNewest({ signal })) === last.number) return
      const head = await log.readHead({ signal })
      if (!isOwn(head) || isReleased) throw lose(head.memory.hold)
    },
    release: () =>
      inTurn(async () => {
        if (isReleased || lost.signal.aborted) return
        clearInterval(renewals)
        const signal = limit()
        try {
          await write(withoutHold, signal)
        } catch (error) {
          // Where no manager takes it, the lock is taken over by whoever finds it silent.
          if (!signal.aborted && !isExpected(error)) throw error
        }
        isReleased = true
      }),
  }
}

function isExpected(error: unknown): boolean {
  return error instanceof LongshoreError && ['locked', 'remote'].includes(error.kind)
}

function isSame(a: Memory, b: Memory): boolean {
  return canonicalJson(a as unknown as Json) === canonicalJson(b as unknown as Json)
}

function describeLoss(hold: Hold | null): LongshoreError {
  const winner = hold && `: ${hold.owner} has it since ${hold.since} (${hold.doing})`
  return new LongshoreError('locked', `the lock was lost${winner ?? ''}`)
}

/** Why the lock is not to be had. */
export function describeHold(hold: Hold): LongshoreError {
  const { owner, since, doing, renewedAt } = hold
  return new LongshoreError(
    'locked',
    `locked by ${owner} since ${since}: ${doing} (renewed at ${renewedAt})`,
    {
      hint: 'wait until it is done; a lock that is not renewed any more is taken over by itself',
    },
  )
}
