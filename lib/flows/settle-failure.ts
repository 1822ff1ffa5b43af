import { LongshoreError, messageOf } from '../domain/errors.ts'
import { isSameGeneration } from '../domain/generation.ts'
import type { Action } from '../domain/plan.ts'
import { withQuarantine, withRun } from '../domain/record-rules.ts'
import { StepFailure } from './apply-plan.ts'
import { readContentDigest } from './content-digest.ts'
import { describeStanding, goBack } from './go-back.ts'
import { observeFleet } from './observe.ts'
import { describeMove, type Move } from './prepare-move.ts'
import type { Session } from './session.ts'

/** Steps whose failure speaks against the generation, unless a node or what runs the tasks was lost meanwhile. */
const TELLING: readonly Action[] = ['load', 'check', 'switch', 'soak']

/**
 * Sees to a move that broke off, and returns the error to raise: `interrupted` leaves all as it is, to be continued;
 * `partial` tells of a generation that is in service but not tidied up after; otherwise the former generation is
 * brought back, and it is `rolled-back` when the generation was to blame, else the failure of the fleet as it was.
 */
export async function settleFailure(session: Session, move: Move, error: unknown): Promise<unknown> {
  if (session.context.signal.aborted) return interrupted(move)
  if (session.signal.aborted) return error
  const { run } = await session.readRecord()
  if (!run) return untidy(move, error)
  const reason = messageOf(error)
  try {
    const isBlamed = await isGenerationToBlame(session, move, error)
    await recordFailure(session, move, { reason, isBlamed })
    await goBack(session, { ...run, phase: 'compensating', reason })
    return isBlamed ? rolledBack(move, reason) : asItWas(move, error)
  } catch (failure) {
    if (session.context.signal.aborted) return interrupted(move)
    return session.signal.aborted ? failure : await stuck(session, move, { reason, failure })
  }
}

async function isGenerationToBlame(session: Session, move: Move, error: unknown): Promise<boolean> {
  if (!(error instanceof StepFailure) || !TELLING.includes(error.step.action)) return false
  if (error.cause instanceof LongshoreError && error.cause.blame === 'fleet') return false
  if (isSameGeneration(move.former ?? undefined, move.target)) return false
  const { nodes, services } = await observeFleet(session.context, session.signal)
  const areNodesHere = nodes.every(({ name, reachable }) => reachable || move.unreachable.includes(name))
  const isEngineHere = services.length === 0 || services.some(({ tasks }) => tasks.length > 0)
  return areNodesHere && isEngineHere
}

/** One write, so that a kill in between can never leave a bad generation that is not quarantined. */
async function recordFailure(
  session: Session,
  { target }: Move,
  { reason, isBlamed }: { reason: string; isBlamed: boolean },
): Promise<void> {
  const at = new Date(session.context.now()).toISOString()
  const content = await readContentDigest(session.context, target)
  await session.changeRecord((record) => {
    const compensating = withRun(record, record.run && { ...record.run, phase: 'compensating', reason })
    return isBlamed ? withQuarantine(compensating, { generation: target, content, reason, at }) : compensating
  })
  if (isBlamed) await session.log('quarantine', `${target.name} ${target.digest}: ${reason}`)
}

function rolledBack(move: Move, reason: string): LongshoreError {
  return new LongshoreError('rolled-back', `${reason}; ${describeFormer(move)}`, {
    hint: `${move.target.name} is quarantined; status.mjs shows where the fleet stands`,
    answer: describeMove(move),
  })
}

function asItWas(move: Move, error: unknown): unknown {
  const cause = error instanceof StepFailure ? error.cause : error
  if (!(cause instanceof LongshoreError)) return cause
  return new LongshoreError(cause.kind, `${messageOf(error)}; ${describeFormer(move)}`, {
    hint: cause.hint ?? 'doctor.mjs looks for the reason; then run the same command again',
    answer: { ...cause.answer, ...describeMove(move) },
    cause,
  })
}

function untidy(move: Move, error: unknown): LongshoreError {
  return new LongshoreError('partial', `${move.target.name} is serving, but ${messageOf(error)}`, {
    hint: 'run the same command again: it does what is left',
    answer: describeMove(move),
    cause: error,
  })
}

function interrupted(move: Move): LongshoreError {
  return new LongshoreError('interrupted', `interrupted on the way to ${move.target.name}`, {
    hint: 'run the same command again: it continues; another one first goes back',
    answer: describeMove(move),
  })
}

async function stuck(
  session: Session,
  move: Move,
  { reason, failure }: { readonly reason: string; readonly failure: unknown },
): Promise<LongshoreError> {
  return new LongshoreError('stuck', `${reason}\n${await describeReturn(session, move, failure)}`, {
    hint: 'status.mjs shows where the fleet stands; mend what failed, then run the same command again',
    answer: describeMove(move),
    cause: failure,
  })
}

/** Where a step back failed, that itself tells what stands where; not so where the way back was cut off before or after. */
async function describeReturn(session: Session, { target, former }: Move, failure: unknown): Promise<string> {
  if (failure instanceof LongshoreError && failure.kind === 'stuck') return failure.message
  const what = `going back from ${target.name} to ${former?.name ?? 'nothing'} was cut off`
  return `${what}: ${messageOf(failure)}\n${await describeStanding(session)}`
}

function describeFormer({ former }: Move): string {
  return former ? `${former.name} is serving` : 'nothing is served, as before'
}
