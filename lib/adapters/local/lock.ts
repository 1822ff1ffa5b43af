import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { Claim, Lease } from '../../ports/state-store.ts'
import { identifyProcess, isDead, type ProcessIdentity } from '../process/process-identity.ts'
import type { NumberedFile, NumberedFiles } from './numbered-files.ts'

/** A lock file: who works, since when, doing what, and until when nobody may take over. Times are ISO 8601. */
type Hold = Claim & {
  readonly since: string
  readonly renewedAt: string
  readonly expiresAt: string
  readonly released: boolean
  readonly process: ProcessIdentity
}

export type LockSettings = {
  readonly files: NumberedFiles
  /** The largest fence that anything was written under, should the lock's own files have been deleted. */
  readonly readFloor: () => Promise<number>
  readonly leaseSeconds: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Takes the lock, or raises `locked` telling who has it. The lease is renewed at every third of its time. */
export async function takeLock(claim: Claim, settings: LockSettings): Promise<Lease> {
  const { files, readFloor, now } = settings
  const floor = await readFloor()
  const hold: Hold = {
    ...claim,
    ...spanOf(settings),
    since: new Date(now()).toISOString(),
    released: false,
    process: identifyProcess(),
  }
  for (;;) {
    const newest = await files.readNewest()
    const other = newest && parseHold(newest)
    if (other && !isFree(other, now())) throw describeHold(other)
    const fence = Math.max(newest?.number ?? 0, floor) + 1
    if (await files.create(fence, JSON.stringify(hold))) {
      await files.removeBelow(fence)
      return keepLease(fence, hold, settings)
    }
  }
}

/** Who has the lock, in words; undefined when it may be taken. */
export async function findHolder(files: NumberedFiles, now: number): Promise<string | undefined> {
  const newest = await files.readNewest()
  const hold = newest && parseHold(newest)
  return hold && !isFree(hold, now) ? describeHold(hold).message : undefined
}

/** Raises `locked` unless the lease with this fence is the newest. */
export async function assertHeld(files: NumberedFiles, fence: number): Promise<void> {
  const newest = await files.readNewest()
  const hold = newest && parseHold(newest)
  if (newest?.number === fence && hold && !hold.released) return
  throw hold && !hold.released ? describeHold(hold) : new LongshoreError('locked', 'the lock was given back')
}

function keepLease(fence: number, hold: Hold, settings: LockSettings): Lease {
  const { files, leaseSeconds, now } = settings
  const lost = new AbortController()
  let expiresAt = Date.parse(hold.expiresAt)
  let renewal: Promise<void> = Promise.resolve()
  const renew = async () => {
    await assertHeld(files, fence)
    const span = spanOf(settings)
    await files.replace(fence, JSON.stringify({ ...hold, ...span }))
    expiresAt = Date.parse(span.expiresAt)
  }
  const onFailure = (error: unknown) => {
    const isLost = error instanceof LongshoreError && error.kind === 'locked'
    // A full disk may pass; a lease that nobody could renew in time is another's to take.
    if (!isLost && now() < expiresAt) return
    clearInterval(timer)
    lost.abort(isLost ? error : new LongshoreError('locked', `the lock was lost: ${messageOf(error)}`))
  }
  const timer = setInterval(
    () => {
      renewal = renewal.then(renew).catch(onFailure)
    },
    (leaseSeconds * 1000) / 3,
  )
  timer.unref()
  return {
    fence,
    lost: lost.signal,
    release: async () => {
      clearInterval(timer)
      await renewal
      if ((await files.readNewest())?.number !== fence) return
      await files.replace(fence, JSON.stringify({ ...hold, ...spanOf(settings), released: true }))
    },
  }
}

function spanOf({ leaseSeconds, now }: LockSettings): Pick<Hold, 'renewedAt' | 'expiresAt'> {
  const renewed = now()
  return {
    renewedAt: new Date(renewed).toISOString(),
    expiresAt: new Date(renewed + leaseSeconds * 1000).toISOString(),
  }
}

function isFree(hold: Hold, now: number): boolean {
  return hold.released || Date.parse(hold.expiresAt) <= now || isDead(hold.process)
}

function describeHold({ owner, since, doing, expiresAt }: Hold): LongshoreError {
  return new LongshoreError(
    'locked',
    `locked by ${owner} since ${since}: ${doing} (its lease expires at ${expiresAt} unless renewed)`,
    { hint: 'wait until it is done; the lock of a dead process is taken over by itself' },
  )
}

function parseHold({ number, text }: NumberedFile): Hold {
  try {
    return JSON.parse(text) as Hold
  } catch (error) {
    throw new LongshoreError('corrupt', `lock ${number}.json is no JSON: ${messageOf(error)}`, {
      hint: 'make sure that no command is running, then delete the file',
      cause: error,
    })
  }
}
