import type { GenerationRef } from './generation.ts'
import type { MoveRecord } from './service-move.ts'

/** A generation that was put in service, newest last. */
export type Release = {
  readonly id: number
  readonly generation: GenerationRef
  /** Ids of its clusters as `0-3,7`: who goes back to it need not have its files. */
  readonly clusters?: string
  /** Fingerprint of its model. */
  readonly model?: string
  readonly command: 'update' | 'rollback'
  readonly at: string
  readonly by: string
}

/** A digest that failed; no unattended run may serve it again. `content` recognises it under another number. */
export type Quarantine = {
  readonly generation: GenerationRef
  readonly content: string | null
  readonly reason: string
  readonly at: string
}

/** An operator went back from this generation: it stays out until `--force`, or until another digest comes. */
export type Freeze = { readonly generation: GenerationRef; readonly since: string; readonly by: string }

/** A run that has begun to change services and has not said how it ended. */
export type Run = {
  readonly id: string
  readonly command: 'update' | 'rollback'
  readonly target: GenerationRef
  /** Ids of the target's clusters as `0-3,7`. */
  readonly clusters?: string
  /** Fingerprint of the target's model. */
  readonly model?: string
  readonly former: GenerationRef | null
  /** `compensating` once it failed and began to go back. */
  readonly phase: 'forward' | 'compensating'
  readonly reason: string | null
  readonly startedAt: string
  readonly owner: string
  /** How many steps its plan has. */
  readonly steps?: number
}

/** What the fleet remembers, whoever operates it. */
export type FleetRecord = {
  readonly releases: readonly Release[]
  readonly quarantined: readonly Quarantine[]
  readonly frozen: Freeze | null
  readonly run: Run | null
  /** Services that were moved between model servers or are on their way, by the name of the move. */
  readonly moves?: Readonly<Record<string, MoveRecord>>
}

export const EMPTY_RECORD: FleetRecord = { releases: [], quarantined: [], frozen: null, run: null }

/** One line of the append-only journal. */
export type JournalEntry = {
  readonly at: string
  readonly run: string
  readonly owner: string
  readonly event: string
  readonly detail: string
}
