import { LongshoreError } from '../domain/errors.ts'
import type { FleetContext } from '../flows/context.ts'
import { waitForLock } from '../flows/wait-for-lock.ts'
import type { Flag } from './arguments.ts'

/** Flag of the commands that run unattended. */
export const WAIT_FLAG = {
  type: 'string',
  value: 'SECONDS',
  description: 'how long to wait for another operator to be done (default: not at all)',
} as const satisfies Flag

/** The context of a command by its `--wait`. Raises `usage` for what is no number of seconds. */
export function withWait(context: FleetContext, wait: string | undefined): FleetContext {
  if (wait === undefined) return context
  if (!/^\d+$/.test(wait)) {
    throw new LongshoreError('usage', `--wait ${wait}: expected a whole number of seconds`, {
      hint: '--wait 1800 waits for half an hour',
    })
  }
  return waitForLock(context, Number(wait))
}
