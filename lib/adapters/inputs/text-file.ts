import { readFile } from 'node:fs/promises'
import { LongshoreError, messageOf } from '../../domain/errors.ts'

/** The text of a file that an operator names. Raises `usage`. */
export async function readTextFile(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((error: unknown) => {
    throw new LongshoreError('usage', `cannot read ${path}: ${messageOf(error)}`, { cause: error })
  })
}
