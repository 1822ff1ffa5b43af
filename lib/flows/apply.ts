import { LongshoreError } from '../domain/errors.ts'
import { answerApply, describeAdjustment, renderChanges } from './apply-answer.ts'
import { applyPlan } from './apply-plan.ts'
import { type Adjustment, prepareApply, prepareUndo } from './apply-prepare.ts'
import { beginOnFile, finishOnFile } from './apply-record.ts'
import { settleApplyFailure } from './apply-return.ts'
import type { Answer, FleetContext } from './context.ts'
import { holdLock, type Session } from './session.ts'

export type ApplyOptions = {
  /** Makes the services again what they were before the last apply. */
  readonly undo?: boolean
}

/**
 * Brings the services of the fleet to what its profile declares, by content and one after the other; serving stays with
 * the generations that it has, and no service is ever stopped for what the profile lacks. A dry run renders and compares
 * only. Raises by exit code: 10 nothing served, or nothing to undo; 11 locked; 13 an update is unfinished; 20 a service
 * failed and everything stands as before; 21 not everything does; 3 and 30 nodes.
 */
export async function apply(context: FleetContext, { undo = false }: ApplyOptions = {}): Promise<Answer> {
  return await holdLock(context, undo ? 'apply --undo' : 'apply', async (session) => {
    const adjustment = await (undo ? prepareUndo(session) : prepareApply(session))
    if (!context.dryRun) await carryOut(session, adjustment)
    return answerApply(context, adjustment)
  })
}

async function carryOut(session: Session, adjustment: Adjustment): Promise<void> {
  const { context } = session
  const { command, changes } = adjustment
  if (changes.plan.steps.length > 0) {
    context.reporter.note(renderChanges(adjustment))
    context.reporter.plan(changes.plan)
    await context.confirm(changes.plan)
    await beginOnFile(context, adjustment)
    await session.log('run-begin', `${command} ${changes.plan.steps.map(({ target }) => target).join(', ')}`)
    try {
      await applyPlan(session, changes.plan)
    } catch (error) {
      throw await settleApplyFailure(session, adjustment, error)
    }
    await session.log('run-end', `done: ${command}`)
  }
  await finishOnFile(context, adjustment)
  checkComplete(adjustment)
}

function checkComplete(adjustment: Adjustment): void {
  const { unreachable } = adjustment
  if (unreachable.length === 0) return
  throw new LongshoreError('partial', `the services are as asked, but not on ${unreachable.join(', ')}`, {
    hint: 'run the same command again once these nodes can be reached',
    answer: { ...describeAdjustment(adjustment), unreachable },
  })
}
