import { type GenerationRef, isSameGeneration } from '../domain/generation.ts'
import type { Run } from '../domain/record.ts'
import { goBack } from './go-back.ts'
import type { Session } from './session.ts'

export type DeadRun = 'none' | 'continues' | 'undone'

/**
 * Sees to what a run left that was killed or interrupted. One that went to the same target continues by itself, because
 * planning starts from what stands; any other, and one that was going back already, is brought back first.
 */
export async function settleDeadRun(
  session: Session,
  asked: { readonly command: Run['command']; readonly target: GenerationRef },
): Promise<DeadRun> {
  const { run } = await session.readRecord()
  if (!run) return 'none'
  const { reporter, dryRun } = session.context
  const was = `${run.command} to ${run.target.name}, begun ${run.startedAt} by ${run.owner}`
  const isSame = run.command === asked.command && isSameGeneration(run.target, asked.target)
  if (isSame && run.phase === 'forward') {
    reporter.note(`continuing the ${was}`)
    return 'continues'
  }
  reporter.note(`${dryRun ? 'would first go' : 'going'} back from the unfinished ${was}`)
  if (dryRun) return 'none'
  await goBack(session, run)
  return 'undone'
}
