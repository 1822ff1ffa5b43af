import * as assert from 'uvu/assert'
import { type ErrorKind, LongshoreError } from '../../lib/domain/errors.ts'

/** Asserts that a promise is rejected with an error of this kind whose message fits, and hands the error out. */
export async function rejectsWith(
  promise: Promise<unknown>,
  kind: ErrorKind,
  message: RegExp = /./,
): Promise<LongshoreError> {
  const error = await promise.then(
    () => assert.unreachable(`expected an error of kind ${kind}`),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof LongshoreError)) throw error
  assert.is(error.kind, kind, error.message)
  assert.match(error.message, message)
  return error
}
