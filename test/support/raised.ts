import * as assert from 'uvu/assert'
import { type ErrorKind, LongshoreError } from '../../lib/domain/errors.ts'

/** The error of this kind that a promise is rejected with; fails the test for anything else. */
export async function raised(kind: ErrorKind, work: Promise<unknown>): Promise<LongshoreError> {
  const error = await work.then(
    (value) => new Error(`expected ${kind}, but it resolved to ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  if (!(error instanceof LongshoreError)) throw error
  assert.is(error.kind, kind, error.message)
  return error
}
