import { LongshoreError } from '../../domain/errors.ts'
import { withEntry } from '../../domain/swarm-memory.ts'
import type { Lease, StateStore } from '../../ports/state-store.ts'
import type { Manager } from './docker-client.ts'
import { describeHold, type HeldLease } from './lease.ts'
import { createMemoryLog } from './memory-log.ts'
import { takeLease } from './take-lease.ts'

export type SwarmStateSettings = {
  readonly manager: Manager
  readonly fleet: string
  readonly leaseSeconds: number
  /** The largest fence on any service of the fleet, should its memory have been deleted. */
  readonly readFloor: (signal: AbortSignal) => Promise<number>
  /** Aborts when the operator interrupts. */
  readonly signal: AbortSignal
}

/** A state store that can also tell whether the lease of this process holds. */
export interface SwarmStateStore extends StateStore {
  /** The fence of the lease that is held, 0 when none was ever taken here. Raises `locked` when it was lost. */
  readFence(signal: AbortSignal): Promise<number>
}

/**
 * A fleet's memory in the Swarm itself, so that any operator's machine knows it: one numbered config for each state of
 * lock, record and journal together. A state is written only as the successor of the one that its writer knows, and the
 * managers let one write win: whoever has lost the lock can write nothing any more, at whatever moment.
 */
export function createSwarmStateStore(settings: SwarmStateSettings): SwarmStateStore {
  const { manager, fleet, leaseSeconds, readFloor, signal } = settings
  const log = createMemoryLog(manager, fleet)
  const held = new WeakMap<Lease, HeldLease>()
  let current: HeldLease | undefined
  const find = (lease: Lease) => {
    const own = held.get(lease)
    if (own) return own
    throw new LongshoreError('locked', 'the lock was taken by another process')
  }
  return {
    async acquire(claim) {
      const lease = await takeLease(claim, { log, leaseMs: leaseSeconds * 1000, readFloor, signal })
      held.set(lease, lease)
      current = lease
      return lease
    },
    async findHolder() {
      const { hold } = (await log.readHead({ signal })).memory
      return hold && !hold.released ? describeHold(hold).message : undefined
    },
    read: async () => (current?.peek() ?? (await log.readHead({ signal })).memory).record,
    write: (record, lease) => find(lease).advance((memory) => ({ ...memory, record })),
    append: (entry, lease) => find(lease).advance((memory) => withEntry(memory, entry)),
    journal: async () => (await log.readHead({ signal })).memory.journal,
    async readFence(now) {
      await current?.confirm(now)
      return current?.fence ?? 0
    },
  }
}
