import { LongshoreError, messageOf } from '../domain/errors.ts'
import type { FleetRecord } from '../domain/record.ts'
import type { Lease } from '../ports/state-store.ts'
import type { FleetContext } from './context.ts'

/** A stretch of work on the fleet by one operator, under the lock; a dry run works without it and remembers nothing. */
export interface Session {
  readonly context: FleetContext
  /** Names the run in the journal. */
  readonly id: string
  /** Aborts on Ctrl-C and when the lock is lost. */
  readonly signal: AbortSignal
  readRecord(): Promise<FleetRecord>
  changeRecord(edit: (record: FleetRecord) => FleetRecord): Promise<void>
  /** Adds a line to the journal. */
  log(event: string, detail: string): Promise<void>
}

/** Does `work` while holding the fleet's lock. Raises `locked` when somebody else has it, or takes it meanwhile. */
export async function holdLock<T>(
  context: FleetContext,
  doing: string,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  if (context.dryRun) return await work(createSession(context, null))
  const lease = await context.state.acquire({ owner: context.owner, doing })
  try {
    return await work(createSession(context, lease))
  } catch (error) {
    if (!lease.lost.aborted) throw error
    throw new LongshoreError('locked', `${messageOf(lease.lost.reason)}; this run has stopped`, {
      hint: 'status.mjs shows where the fleet stands',
      cause: error,
    })
  } finally {
    await lease.release()
  }
}

function createSession(context: FleetContext, lease: Lease | null): Session {
  const { state, owner } = context
  const id = `${new Date(context.now()).toISOString()} ${owner}`
  return {
    context,
    id,
    signal: lease ? AbortSignal.any([context.signal, lease.lost]) : context.signal,
    readRecord: () => state.read(),
    async changeRecord(edit) {
      if (lease) await state.write(edit(await state.read()), lease)
    },
    async log(event, detail) {
      const at = new Date(context.now()).toISOString()
      if (lease) await state.append({ at, run: id, owner, event, detail }, lease)
    },
  }
}
