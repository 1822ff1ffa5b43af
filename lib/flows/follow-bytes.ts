import type { Carried } from '../ports/archives.ts'
import type { Context } from './context.ts'

/** Shows how many bytes of a task are carried. */
export function followBytes(
  { reporter, signal }: Pick<Context, 'reporter' | 'signal'>,
  task: string,
): Carried {
  let done = 0
  return {
    signal,
    onBytes: (bytes, total) => {
      done += bytes
      reporter.progress({ task, done, total, unit: 'bytes' })
    },
  }
}
