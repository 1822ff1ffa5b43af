import { canonicalJson } from '../domain/canonical-json.ts'
import type { Adjustment } from './apply-prepare.ts'
import type { FleetContext } from './context.ts'

/** Keeps what ran before an apply, until it ends. One that goes on with an unfinished one keeps what that one found. */
export async function beginOnFile(
  { stack, stackFiles }: FleetContext,
  adjustment: Adjustment,
): Promise<void> {
  const { command, before } = adjustment
  if (command === 'apply --undo' || (await stackFiles.read('unfinished')) !== null) return
  await stackFiles.write('unfinished', stack.describe(before))
}

/** After everything was put back: nothing is unfinished, unless it was so before. */
export async function forgetOnFile(
  { stack, stackFiles }: FleetContext,
  { before }: Adjustment,
): Promise<void> {
  const kept = await stackFiles.read('unfinished')
  if (kept !== null && canonicalJson(kept) === canonicalJson(stack.describe(before))) {
    await stackFiles.remove('unfinished')
  }
}

/**
 * Makes what was staged the current services, and what ran before them the way back: after an apply, what it found;
 * after an undo, what was current, so that the next undo takes it back.
 */
export async function finishOnFile({ stackFiles }: FleetContext, { command }: Adjustment): Promise<void> {
  const isUnfinished = (await stackFiles.read('unfinished')) !== null
  if (command === 'apply' && isUnfinished) await stackFiles.move('unfinished', 'former')
  if (command === 'apply --undo' && isUnfinished) await stackFiles.remove('unfinished')
  if (command === 'apply --undo' && !isUnfinished) {
    const current = await stackFiles.read('current')
    await (current === null ? stackFiles.remove('former') : stackFiles.write('former', current))
  }
  await stackFiles.move('staging', 'current')
}
