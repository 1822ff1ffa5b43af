import { LongshoreError, messageOf } from '../domain/errors.ts'
import { type Fleet, findService, listServed } from '../domain/fleet.ts'
import { isSameGeneration } from '../domain/generation.ts'
import type { Plan } from '../domain/plan.ts'
import { planReturn } from '../domain/plan-rollback.ts'
import type { Run } from '../domain/record.ts'
import { withRun } from '../domain/record-rules.ts'
import { GATEWAY } from '../domain/service.ts'
import { applyPlan } from './apply-plan.ts'
import { createBlueprint } from './blueprint.ts'
import { observeFleet } from './observe.ts'
import type { Session } from './session.ts'
import { findShape } from './shape.ts'

/**
 * Brings the fleet back to what it served before an unfinished run, and clears the run. Raises `stuck`, telling what
 * each service holds, when a step back fails or the former generation is not what is served in the end.
 */
export async function goBack(session: Session, run: Run): Promise<void> {
  await session.changeRecord((record) => withRun(record, { ...run, phase: 'compensating' }))
  await session.log('compensate-begin', `${run.target.name} -> ${run.former?.name ?? 'nothing'}`)
  try {
    const plan = await planBack(session, run)
    session.context.reporter.plan(plan)
    await applyPlan(session, plan)
    checkServed(await observeFleet(session.context, session.signal), run)
  } catch (error) {
    session.signal.throwIfAborted()
    throw await stuck(session, run, error)
  }
  await session.changeRecord((record) => withRun(record, null))
  await session.log('run-end', `back: ${run.former?.name ?? 'nothing'} is serving`)
}

async function planBack({ context, signal }: Session, { former, target }: Run): Promise<Plan> {
  const fleet = await observeFleet(context, signal)
  const shape = former && (await findShape(context, fleet, former))
  const blueprint = createBlueprint(context.profile)
  return planReturn(fleet, {
    former,
    target,
    clusters: shape?.clusters ?? null,
    model: shape?.model,
    blueprint,
  })
}

/** The verdict is what gateway tasks tell. Where a run only repaired what was served, they may be as they were. */
function checkServed(fleet: Fleet, { former, target }: Run): void {
  if (former && isSameGeneration(former, target)) return
  const served = listServed(fleet)
  const isBack = former
    ? served.length === 1 && isSameGeneration(served[0], former)
    : findService(fleet, GATEWAY) === undefined
  if (isBack) return
  const names = served.map(({ name }) => name).join(' and ') || 'nothing'
  throw new Error(`${names} is served, expected ${former?.name ?? 'nothing'}`)
}

async function stuck(session: Session, run: Run, error: unknown): Promise<LongshoreError> {
  await session.log('stuck', messageOf(error))
  return new LongshoreError(
    'stuck',
    `going back from ${run.target.name} to ${run.former?.name ?? 'nothing'}: ${messageOf(error)}\n` +
      (await describeStanding(session)),
    { hint: 'mend what failed, then run the same command again: it goes on going back', cause: error },
  )
}

/** What each service holds and how many of its tasks are ready, for whoever has to mend it by hand. */
export async function describeStanding({ context, signal }: Session): Promise<string> {
  const services = await context.orchestrator.observe(signal).catch(() => [])
  const standing = services.map(
    ({ spec, tasks }) =>
      `${spec.name} holds ${spec.generations.map(({ name }) => name).join(', ') || 'no generation'}` +
      ` (${tasks.filter(({ state }) => state === 'ready').length} of ${spec.replicas} tasks ready)`,
  )
  return standing.length > 0 ? standing.join('; ') : 'the services cannot be asked what they hold'
}
