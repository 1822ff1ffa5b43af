import { assemblePlan, describePlan } from '../domain/plan.ts'
import { withRun } from '../domain/record-rules.ts'
import type { Answer, FleetContext } from './context.ts'
import { holdLock } from './session.ts'

/**
 * Stops everything that runs for the profile; generations, releases and quarantine stay. With nothing to continue, an
 * unfinished run is forgotten. Running it twice is running it once. Raises `locked`, `aborted`.
 */
export async function down(context: FleetContext): Promise<Answer> {
  return await holdLock(context, 'down', async (session) => {
    const services = await context.orchestrator.observe(session.signal)
    const cause = 'the operator takes the profile down'
    const plan = assemblePlan([services.map(({ spec }) => ({ action: 'stop', target: spec.name, cause }))])
    const json = { stopped: services.map(({ spec }) => spec.name), plan: describePlan(plan) }
    const outcome = services.length > 0 ? 'done' : 'nothing-to-do'
    if (context.dryRun) return { outcome, plan, text: 'a dry run: nothing was changed', json }
    if (services.length > 0) {
      context.reporter.plan(plan)
      await context.confirm(plan)
    }
    await context.orchestrator.shutDown(session.signal)
    const { run } = await session.readRecord()
    if (run) await session.changeRecord((record) => withRun(record, null))
    if (services.length === 0) return { outcome, text: 'nothing is running', json }
    await session.log('down', json.stopped.join(', '))
    return { outcome, text: `stopped ${json.stopped.join(', ')}`, json }
  })
}
