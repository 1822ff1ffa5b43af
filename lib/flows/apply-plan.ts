import { messageOf } from '../domain/errors.ts'
import { batchesOf, nameStep, type Plan, type Step } from '../domain/plan.ts'
import { applyStep } from './apply-step.ts'
import type { Session } from './session.ts'
import { settleAll } from './settle-all.ts'

/** Steps of one batch that run at the same time. */
export const CONCURRENCY = 16

/** A step that could not be done; `cause` is why. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure'
  readonly step: Step

  constructor(step: Step, cause: unknown) {
    super(`${nameStep(step)} failed: ${messageOf(cause)}`, { cause })
    this.step = step
  }
}

/**
 * Does the steps of a plan, batch by batch, each between two lines of the journal. Stops after the batch that failed
 * and raises {@link StepFailure} of its first failure, or what the journal itself or an abort raised.
 */
export async function applyPlan(session: Session, plan: Plan): Promise<void> {
  for (const batch of batchesOf(plan)) {
    session.signal.throwIfAborted()
    const settled = await settleAll(batch, limitOf(batch), (step) => doStep(session, step))
    for (const { result } of settled) if (result.status === 'rejected') throw result.reason
  }
}

/** Nodes that are delivered to at the same time pass on to each other what they get: the more of them, the better. */
function limitOf(batch: readonly Step[]): number {
  return Math.max(CONCURRENCY, batch.filter(({ action }) => action === 'deliver').length)
}

async function doStep(session: Session, step: Step): Promise<void> {
  const { reporter, now } = session.context
  const startedAt = now()
  await session.log('step-begin', describe(step))
  reporter.step({ step, state: 'started' })
  try {
    await applyStep(session, step)
    reporter.step({ step, state: 'done', tookMs: now() - startedAt })
  } catch (error) {
    session.signal.throwIfAborted()
    reporter.step({ step, state: 'failed', tookMs: now() - startedAt, detail: messageOf(error) })
    await session.log('step-failed', `${describe(step)}: ${messageOf(error)}`)
    throw new StepFailure(step, error)
  }
  await session.log('step-done', describe(step))
}

function describe(step: Step): string {
  return `${step.batch} ${nameStep(step)}`
}
