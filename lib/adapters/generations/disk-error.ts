import { LongshoreError } from '../../domain/errors.ts'

const FULL = ['ENOSPC', 'EDQUOT']

/** `remote` in the operator's words for a full disk; any other error as it is. */
export function explainDiskError(error: unknown): unknown {
  const { code, path } = error as NodeJS.ErrnoException
  if (code === undefined || !FULL.includes(code)) return error
  return new LongshoreError('remote', `no space left on the disk${path ? ` of ${path}` : ''}`, {
    hint: 'free some space, or name another directory under generations in the profile',
    cause: error,
  })
}
