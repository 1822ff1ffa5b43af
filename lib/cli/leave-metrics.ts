import { exitCodeOf, LongshoreError, messageOf, outcomeOf } from '../domain/errors.ts'
import { nameRunFile, type RunFacts, renderRunMetrics } from '../domain/run-metrics.ts'
import type { Answer, Context } from '../flows/context.ts'

export type Measured = {
  readonly command: string
  /** What is told of a failure. */
  explain(error: unknown): unknown
}

/**
 * Runs a command and leaves how it ended for the collector that the profile names. Should that not succeed, it is told, and
 * the command ends as it would have. A dry run leaves nothing.
 */
export async function leaveMetrics(
  context: Context,
  { command, explain }: Measured,
  run: () => Promise<Answer>,
): Promise<Answer> {
  const { metricsFiles, profile, dryRun, reporter, now } = context
  if (!metricsFiles || dryRun) return await run()
  const startedAt = performance.now()
  const leave = async (ended: Pick<RunFacts, 'outcome' | 'exitCode' | 'answer'>) => {
    const tookMs = Math.round(performance.now() - startedAt)
    const facts = { ...ended, profile: profile.name, command, at: now(), tookMs }
    const name = nameRunFile(facts)
    try {
      await metricsFiles.write(name, renderRunMetrics(facts, await metricsFiles.read(name)))
    } catch (error) {
      reporter.note(`metrics.textfile: ${name} was not written: ${messageOf(error)}`)
    }
  }
  try {
    const answer = await run()
    await leave({ outcome: answer.outcome, exitCode: 0, answer: answer.json })
    return answer
  } catch (thrown) {
    const error = explain(thrown)
    const answer = error instanceof LongshoreError ? error.answer : {}
    await leave({ outcome: outcomeOf(error), exitCode: exitCodeOf(error), answer })
    throw thrown
  }
}
