import { LongshoreError, messageOf } from '../domain/errors.ts'
import { findService, findServiceProblem } from '../domain/fleet.ts'
import { planReversal } from '../domain/plan-apply.ts'
import { describeAdjustment } from './apply-answer.ts'
import { applyPlan } from './apply-plan.ts'
import { type Adjustment, optionsOf } from './apply-prepare.ts'
import { forgetOnFile } from './apply-record.ts'
import { describeStanding } from './go-back.ts'
import { observeFleet } from './observe.ts'
import type { Session } from './session.ts'

/**
 * Sees to an apply that broke off, and returns the error to raise: `interrupted` leaves all as it is, to be continued or
 * undone; otherwise the services that were changed are put back in reverse order, and it is `rolled-back` when all of
 * them stand as before, else `stuck`, telling what stands where.
 */
export async function settleApplyFailure(
  session: Session,
  adjustment: Adjustment,
  error: unknown,
): Promise<unknown> {
  const { context, signal } = session
  if (context.signal.aborted) return interrupted(adjustment)
  if (signal.aborted) return error
  const reason = messageOf(error)
  try {
    await putBack(session, adjustment)
    return new LongshoreError('rolled-back', `${reason}; every service stands as before`, {
      hint: 'mend what the message says, in the profile or on the nodes; then run the same command again',
      answer: describeAdjustment(adjustment),
      cause: error,
    })
  } catch (failure) {
    if (context.signal.aborted) return interrupted(adjustment)
    return signal.aborted ? failure : await stuck(session, adjustment, { reason, failure })
  }
}

async function putBack(session: Session, adjustment: Adjustment): Promise<void> {
  const { stack, reporter } = session.context
  const { before, command } = adjustment
  await session.log('compensate-begin', `${command}: services as they were`)
  const plan = planReversal(before, await stack.observe(optionsOf(session)), targetsOf(adjustment))
  reporter.plan(plan)
  await applyPlan(session, plan)
  await checkStanding(session, adjustment)
  await forgetOnFile(session.context, adjustment)
  await session.log('run-end', `back: ${command}`)
}

/** The verdict is what runs, not what was done about it. */
async function checkStanding(session: Session, adjustment: Adjustment): Promise<void> {
  const { stack } = session.context
  const targets = targetsOf(adjustment)
  const left = planReversal(adjustment.before, await stack.observe(optionsOf(session)), targets).steps
  const fleet = await observeFleet(session.context, session.signal)
  const broken = targets.flatMap((name) => {
    const [was, is] = [findService(adjustment.fleet, name), findService(fleet, name)]
    const problem = is && findServiceProblem(is)
    return problem && was && !findServiceProblem(was) ? [`${name}: ${problem}`] : []
  })
  const differing = left.map(({ target, cause }) => `${target} is not ${cause}`)
  if (differing.length + broken.length > 0) throw new Error([...differing, ...broken].join('; '))
}

function targetsOf({ changes }: Adjustment): string[] {
  return changes.plan.steps.map(({ target }) => target)
}

function interrupted(adjustment: Adjustment): LongshoreError {
  return new LongshoreError('interrupted', `interrupted in the middle of ${adjustment.command}`, {
    hint: 'run the same command again: it continues; apply.mjs --undo goes back',
    answer: describeAdjustment(adjustment),
  })
}

async function stuck(
  session: Session,
  adjustment: Adjustment,
  { reason, failure }: { readonly reason: string; readonly failure: unknown },
): Promise<LongshoreError> {
  // The journal may be what failed: the message tells of it too.
  await session.log('stuck', messageOf(failure)).catch(() => undefined)
  const message = `${reason}\nputting the services back: ${messageOf(failure)}\n${await describeStanding(session)}`
  return new LongshoreError('stuck', message, {
    hint: 'mend what failed, then apply.mjs --undo goes back, or the same command goes on',
    answer: describeAdjustment(adjustment),
    cause: failure,
  })
}
