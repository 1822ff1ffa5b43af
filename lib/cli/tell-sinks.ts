import { exitCodeOf, LongshoreError, messageOf, outcomeOf } from '../domain/errors.ts'
import type { RunFacts } from '../domain/run-metrics.ts'
import type { Answer, Context } from '../flows/context.ts'

export type Measured = {
  readonly command: string
  /** What is told of a failure. */
  explain(error: unknown): unknown
}

/**
 * Runs a command and tells those whom the profile names how it ended. Should one of them not take it, that is told, and the
 * command ends as it would have. Of a dry run nobody is told.
 */
export async function tellSinks(
  context: Context,
  { command, explain }: Measured,
  run: () => Promise<Answer>,
): Promise<Answer> {
  const { runSinks = [], profile, dryRun, reporter, now } = context
  if (runSinks.length === 0 || dryRun) return await run()
  const startedAt = performance.now()
  const tell = async (ended: Pick<RunFacts, 'outcome' | 'exitCode' | 'answer'>) => {
    const tookMs = Math.round(performance.now() - startedAt)
    const facts = { ...ended, profile: profile.name, command, at: now(), tookMs }
    for (const sink of runSinks) {
      await sink.take(facts).catch((error: unknown) => {
        reporter.note(`${sink.key}: it was not told how ${command} ended: ${messageOf(error)}`)
      })
    }
  }
  try {
    const answer = await run()
    await tell({ outcome: answer.outcome, exitCode: 0, answer: answer.json })
    return answer
  } catch (thrown) {
    const error = explain(thrown)
    const answer = error instanceof LongshoreError ? error.answer : {}
    await tell({ outcome: outcomeOf(error), exitCode: exitCodeOf(error), answer })
    throw thrown
  }
}
