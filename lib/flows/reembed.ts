import type { Answer, Context } from './context.ts'
import { judgeThreshold } from './migrate-gate.ts'
import { type ReembedRequest, remake } from './remake.ts'

/**
 * Makes a generation of a gallery under another model, and shows what becomes of the former one's threshold. Killed and run
 * again, it goes on where it was. Raises what `split` does.
 */
export async function reembed(context: Context, request: ReembedRequest): Promise<Answer> {
  const { answer, evidence } = await remake(context, request)
  if (!evidence?.threshold) return answer
  const { before, after, threshold } = evidence
  context.reporter.gates(`${after.generation} against ${before.generation}`, [judgeThreshold(threshold)])
  return { ...answer, json: { ...answer.json, threshold } }
}
