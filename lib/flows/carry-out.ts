import { LongshoreError } from '../domain/errors.ts'
import { renderRanges } from '../domain/number-ranges.ts'
import type { Run } from '../domain/record.ts'
import { withRun } from '../domain/record-rules.ts'
import { applyPlan } from './apply-plan.ts'
import { describeMove, type Move } from './prepare-move.ts'
import type { Session } from './session.ts'
import { settleFailure } from './settle-failure.ts'

/**
 * Carries a move out on record; when a step fails before the commit, brings the former generation back. Raises
 * `rolled-back`, `stuck`, `interrupted` and what {@link settleFailure} says; `partial` when nodes were left out.
 */
export async function carryOut(session: Session, move: Move): Promise<void> {
  await beginRun(session, move)
  try {
    await applyPlan(session, move.plan)
  } catch (error) {
    throw await settleFailure(session, move, error)
  }
  await endRun(session, `done: ${move.target.name} is serving`)
  checkComplete(move)
}

/** Records that nothing is unfinished any more, and how the run ended. */
export async function endRun(session: Session, how: string): Promise<void> {
  await session.changeRecord((record) => withRun(record, null))
  await session.log('run-end', how)
}

/** Raises `partial`, naming them, when nodes were left out of a move. */
export function checkComplete(move: Move): void {
  const { unreachable, target } = move
  if (unreachable.length === 0) return
  throw new LongshoreError('partial', `${target.name} is serving, but not on ${unreachable.join(', ')}`, {
    hint: 'run the same command again once these nodes can be reached',
    answer: { ...describeMove(move), unreachable },
  })
}

/** A run that continues is on record already: it is written again in the name of whoever works on it now. */
async function beginRun(
  session: Session,
  { command, target, clusters, model, former, plan }: Move,
): Promise<void> {
  const startedAt = new Date(session.context.now()).toISOString()
  const run: Run = {
    id: session.id,
    command,
    target,
    clusters: renderRanges(clusters),
    ...(model !== undefined && { model }),
    former,
    phase: 'forward',
    reason: null,
    startedAt,
    owner: session.context.owner,
    steps: plan.steps.length,
  }
  await Promise.all([
    session.changeRecord((record) => withRun(record, run)),
    session.log('run-begin', `${command} ${former?.name ?? 'nothing'} -> ${target.name}`),
  ])
}
