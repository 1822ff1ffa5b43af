import { LongshoreError } from '../domain/errors.ts'
import { chooseClear, type MoveFacts, type MovePlan, type MoveStep } from '../domain/plan-move.ts'
import { withRoute } from '../domain/service-move.ts'
import { changeMove, type Moving, passStep } from './move-context.ts'
import { holdRedirect, writePercent } from './move-redirect.ts'
import { type CompareReport, compareServices, warmTarget } from './move-trial.ts'

export type Applied = { comparison?: CompareReport }

/** Does the steps in order; each is in the record and in the journal before the next begins. Raises what a step does. */
export async function applyMove(moving: Moving, facts: MoveFacts, plan: MovePlan): Promise<Applied> {
  const applied: Applied = {}
  const { reporter, now } = moving.context
  for (const step of plan.steps) {
    moving.signal.throwIfAborted()
    const start = now()
    await moving.session.log('move-step', `${moving.order.name}: ${step.key}`)
    reporter.step({ step, state: 'started' })
    try {
      await applyStep(moving, facts, step, applied)
    } catch (error) {
      reporter.step({ step, state: 'failed', tookMs: now() - start })
      throw error
    }
    await passStep(moving, step)
    reporter.step({ step, state: 'done', tookMs: now() - start })
  }
  return applied
}

async function applyStep(moving: Moving, facts: MoveFacts, step: MoveStep, applied: Applied): Promise<void> {
  switch (step.key) {
    case 'route':
      return await writePercent(moving, 0)
    case 'copy':
      return await copyRepository(moving, facts)
    case 'create':
      return await createTarget(moving, facts)
    case 'warm':
      return await warmTarget(moving)
    case 'compare':
      applied.comparison = await compareServices(moving)
      return
    case 'detach':
      return await detachSource(moving)
    case 'delete':
      return await deleteSource(moving, facts)
    default:
      return await holdRedirect(moving, step.percent!)
  }
}

async function copyRepository(moving: Moving, { source, repository }: MoveFacts): Promise<void> {
  const { context, order, signal } = moving
  const { files, directory, node } = repository
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0)
  const from = order.source.directory ?? source?.repository ?? ''
  let done = 0
  const onBytes = (bytes: number) => {
    done += bytes
    context.reporter.progress({ task: `deliver ${directory}`, done, total, unit: 'bytes' })
  }
  const place = node === undefined ? { directory } : { directory, node }
  if (repository.state !== 'whole') {
    await context.repositories.copy(from, place, files, { signal, onBytes })
  }
  await changeMove(moving, (record) => ({ ...record, copied: repository.digest }))
}

/** That the service is ours is on record before it is made: a run that is killed in between knows it again. */
async function createTarget(moving: Moving, { order }: MoveFacts): Promise<void> {
  const { target, move, signal } = moving
  await changeMove(moving, (record) => ({ ...record, isOwn: true, passed: keepEarly(record.passed) }))
  if (await target.create(move.target.service, order.order, signal)) return
  throw new LongshoreError(
    'gate',
    `${move.target.service} at ${move.target.url} was made by somebody else meanwhile`,
    { hint: 'name another service in target.service of the profile' },
  )
}

/** A service that is made anew has yet to show what it does. */
function keepEarly(passed: readonly string[]): string[] {
  return passed.filter((key) => key === 'route' || key === 'copy')
}

async function detachSource({ context, move, signal }: Moving): Promise<void> {
  const table = await context.router.readRoutes(signal)
  const route = { backends: [{ ...move.target, weight: 100 }] }
  await context.router.writeRoutes(withRoute(table, move.service, route), signal)
}

async function deleteSource({ source, move, signal }: Moving, facts: MoveFacts): Promise<void> {
  await source.remove(move.source.service, chooseClear(facts.clear, facts.sharers), signal)
}
