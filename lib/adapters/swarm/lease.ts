import { canonicalJson, type Json } from '../../domain/canonical-json.ts'
import { LongshoreError } from '../../domain/errors.ts'
import { type Hold, type Memory, renderMemory, withoutHold, withRenewal } from '../../domain/swarm-memory.ts'
import type { Lease } from '../../ports/state-store.ts'
import type { Head, MemoryLog } from './memory-log.ts'

/** A lease, and the only way to change the fleet's memory while it is held. */
export interface HeldLease extends Lease {
  /** Writes the next state. Raises `locked` when the lease was lost or given back. */
  advance(edit: (memory: Memory) => Memory): Promise<void>
  /** Raises `locked` unless the lease is held, now, in the Swarm's own memory. */
  confirm(signal: AbortSignal): Promise<void>
}

export type LeaseSettings = { readonly log: MemoryLog; readonly leaseMs: number }

/** A state that this process has written, and when it began to write it, by a clock that never jumps. */
export type Written = { readonly number: number; readonly memory: Memory; readonly at: number }

/**
 * Keeps a lease alive at every third of its time. It counts as lost once a whole lease time has passed since the last
 * state that was written: nobody takes over who has not seen that same state for as long.
 */
export function keepLease(written: Written, settings: LeaseSettings): HeldLease {
  const { log, leaseMs } = settings
  const { fence, writer } = written.memory
  const lost = new AbortController()
  let last = written
  let isReleased = false
  let queue: Promise<unknown> = Promise.resolve()

  const lose = (reason: LongshoreError) => {
    clearInterval(renewals)
    clearTimeout(expiry)
    lost.abort(reason)
    return reason
  }
  const expire = () =>
    lose(new LongshoreError('locked', 'the lock was lost: no manager took its renewal in time'))
  let expiry = setTimeout(expire, leaseMs).unref()
  const keep = (state: Written) => {
    last = state
    clearTimeout(expiry)
    expiry = setTimeout(expire, Math.max(0, leaseMs - (performance.now() - state.at))).unref()
  }
  const options = () => ({ signal: lost.signal, patienceMs: leaseMs / 3 })

  const write = async (edit: (memory: Memory) => Memory): Promise<void> => {
    if (isReleased) throw new LongshoreError('locked', 'the lock was given back')
    for (;;) {
      lost.signal.throwIfAborted()
      const at = performance.now()
      if (at - last.at > leaseMs) throw expire()
      const memory = edit(last.memory)
      const number = last.number + 1
      if (await log.create(number, renderMemory(memory), options())) return keep({ number, memory, at })
      const head = await log.readHead(options())
      if (!isOwn(head)) throw lose(describeHold(head.memory.hold))
      if (head.number === number && isSame(head.memory, memory)) return keep({ number, memory, at })
      // An answer was lost on the way: what was believed to have failed is written.
      last = { ...head, at: last.at }
    }
  }
  const isOwn = ({ memory }: Head) => memory.fence === fence && memory.writer === writer
  const inTurn = (work: () => Promise<void>) => {
    const turn = queue.then(work, work)
    queue = turn.catch(() => undefined)
    return turn
  }
  const renew = async () => {
    if (isReleased || lost.signal.aborted) return
    await write((memory) => withRenewal(memory, new Date().toISOString()))
    if (last.number % 5 === 0) await log.prune(last.number, options())
  }
  // What fails is tried again at the next turn, until the lease expires.
  const renewals = setInterval(() => void inTurn(renew).catch(() => undefined), leaseMs / 3).unref()

  return {
    fence,
    lost: lost.signal,
    advance: (edit) => inTurn(() => write(edit)),
    async confirm(signal) {
      lost.signal.throwIfAborted()
      const head = await log.readHead({ signal })
      if (!isOwn(head) || isReleased) throw lose(describeHold(head.memory.hold))
    },
    release: () =>
      inTurn(async () => {
        if (isReleased || lost.signal.aborted) return
        try {
          await write(withoutHold)
        } catch (error) {
          if (!(error instanceof LongshoreError) || error.kind !== 'locked') throw error
        }
        isReleased = true
        clearInterval(renewals)
        clearTimeout(expiry)
      }),
  }
}

function isSame(a: Memory, b: Memory): boolean {
  return canonicalJson(a as unknown as Json) === canonicalJson(b as unknown as Json)
}

export function describeHold(hold: Hold | null): LongshoreError {
  if (!hold || hold.released) return new LongshoreError('locked', 'the lock was given back')
  const { owner, since, doing, renewedAt } = hold
  return new LongshoreError(
    'locked',
    `locked by ${owner} since ${since}: ${doing} (renewed at ${renewedAt})`,
    {
      hint: 'wait until it is done; a lock that is not renewed any more is taken over by itself',
    },
  )
}
