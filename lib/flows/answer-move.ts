import { checkComplete, endRun } from './carry-out.ts'
import type { Answer } from './context.ts'
import type { DeadRun } from './dead-run.ts'
import { describeMove, type Move } from './prepare-move.ts'
import type { Session } from './session.ts'

/**
 * The answer to an update or a rollback: of a dry run its plan, of an empty plan that there is nothing to do, else what
 * came of `act`. Raises what `act` raises, and `partial` for nodes that were left out.
 */
export async function answerMove(
  session: Session,
  move: Move,
  dead: DeadRun,
  act: () => Promise<void>,
): Promise<Answer> {
  const { target, plan } = move
  const json = describeMove(move)
  if (session.context.dryRun) {
    const outcome = plan.steps.length > 0 ? 'done' : 'nothing-to-do'
    return { outcome, plan, text: 'a dry run: nothing was changed', json: { ...json, dryRun: true } }
  }
  if (plan.steps.length > 0) {
    await act()
    return { outcome: 'done', text: `${target.name} is serving`, json }
  }
  if (dead === 'continues') await endRun(session, `done: ${target.name} is serving`)
  checkComplete(move)
  if (dead === 'none') return { outcome: 'nothing-to-do', text: `${target.name} is serving already`, json }
  return { outcome: 'done', text: `${target.name} is serving`, json }
}
