import { messageOf } from '../domain/errors.ts'
import type { Model } from '../domain/model.ts'
import { sortGenerations } from '../domain/plan-services.ts'
import { extractionServiceName } from '../domain/service.ts'
import type { FleetContext } from './context.ts'
import { observeFleet } from './observe.ts'
import { holdLock, type Session } from './session.ts'
import { findShape } from './shape.ts'

/**
 * Stops an extraction service that was asked for a run, unless queries need it. Raises nothing: where it cannot be told, somebody
 * else has the lock, or the run was interrupted, the service stays, is told of, and the next update stops it.
 */
export async function stopExtraction(context: FleetContext, name: string, model: Model): Promise<void> {
  const { reporter, orchestrator } = context
  try {
    await holdLock(context, `stop ${name}`, async (session) => {
      if (name === extractionServiceName(model) && (await isNeeded(session, model))) return
      await orchestrator.remove(name, session.signal)
      reporter.note(`${name} is stopped`)
    })
  } catch (error) {
    reporter.note(`${name} still runs: ${messageOf(error)}; the next update stops it, unless it is needed`)
  }
}

/** Whether something that is loaded was made with the model, or with one that nobody knows, or an update has not ended. */
async function isNeeded(session: Session, { fingerprint }: Model): Promise<boolean> {
  const { context, signal } = session
  const { run } = await session.readRecord()
  if (run) return true
  const fleet = await observeFleet(context, signal)
  const loaded = sortGenerations(fleet.services.flatMap(({ spec }) => spec.generations))
  const shapes = await Promise.all(loaded.map((generation) => findShape(context, fleet, generation)))
  return shapes.some((shape) => shape?.model === undefined || shape.model === fingerprint)
}
