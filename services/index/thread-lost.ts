import { LongshoreError } from '../../lib/domain/errors.ts'

/** Whether a thread has ended: it will answer nothing any more, so the process has to end too. */
export function isThreadLost(error: unknown): boolean {
  if (error instanceof LongshoreError) return error.kind === 'interrupted'
  return String((error as NodeJS.ErrnoException).code).startsWith('ERR_WORKER')
}
