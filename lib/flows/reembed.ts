import type { Answer, Context } from './context.ts'
import { judgeThreshold } from './migrate-gate.ts'
import { describeReport, writeReport } from './migration-report.ts'
import { type ReembedRequest, remake } from './remake.ts'

/**
 * Makes a generation of a gallery under another model, and writes a report where the gallery is a generation itself. Killed and
 * run again, it goes on where it was. Raises what `split` does.
 */
export async function reembed(context: Context, request: ReembedRequest): Promise<Answer> {
  const { answer, evidence } = await remake(context, request)
  if (!evidence) return answer
  const { before, after, threshold } = evidence
  const gates = threshold ? [judgeThreshold(threshold)] : []
  if (threshold) context.reporter.gates(`${after.generation} against ${before.generation}`, gates)
  const report = await writeReport(context, evidence, { gates })
  return {
    ...answer,
    text: `${answer.text}\n${describeReport(report)}`,
    json: { ...answer.json, threshold, report },
  }
}
