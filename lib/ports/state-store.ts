import type { FleetRecord, JournalEntry } from '../domain/record.ts'

export type Claim = {
  /** `user@host pid`, as shown to whoever finds the lock taken. */
  readonly owner: string
  /** What the owner is doing, for example `update-indices dg_8`. */
  readonly doing: string
}

/** The right to change the fleet, renewed by itself until released. */
export interface Lease {
  /** Grows with every lease; a write under an older one is refused. */
  readonly fence: number
  /** Aborts when the lease is lost to somebody else. */
  readonly lost: AbortSignal
  release(): Promise<void>
}

/** Remembers, for all operators of a fleet, who works on it and what was done. */
export interface StateStore {
  /** Raises `locked` with owner, since when and doing what; takes over a lease that has expired or whose owner is dead. */
  acquire(claim: Claim): Promise<Lease>
  /** Who holds the lock, since when and doing what; undefined when nobody does. Takes nothing. */
  findHolder(): Promise<string | undefined>
  read(): Promise<FleetRecord>
  /** Replaces the record atomically. Raises `locked` when the lease was lost. */
  write(record: FleetRecord, lease: Lease): Promise<void>
  /** Adds a line to the journal, on disk before it resolves. Raises `locked` when the lease was lost. */
  append(entry: JournalEntry, lease: Lease): Promise<void>
  journal(): Promise<readonly JournalEntry[]>
}
