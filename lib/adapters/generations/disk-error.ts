import { LongshoreError } from '../../domain/errors.ts'

const FULL = ['ENOSPC', 'EDQUOT']
const WORDS = 'no space left on the disk'

/** `remote` in the operator's words for a full disk; any other error as it is. */
export function explainDiskError(error: unknown): unknown {
  const { code, path } = error as NodeJS.ErrnoException
  if (code === undefined || !FULL.includes(code)) return error
  return new LongshoreError('remote', `${WORDS}${path ? ` of ${path}` : ''}`, {
    hint: 'free some space, or name another directory under generations in the profile',
    cause: error,
  })
}

/** Whether an error is of a full disk: by its code, or by the words of a thread, whose errors have lost theirs. */
export function isFullDisk(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return FULL.includes(code ?? '') || (error instanceof LongshoreError && message.startsWith(WORDS))
}
