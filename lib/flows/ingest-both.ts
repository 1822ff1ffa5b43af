import type { Input } from '../ports/input.ts'
import type { EmbedCounts } from './embed-contents-counts.ts'
import { type Publishing, publishInput } from './ingest-publish.ts'
import { type WorkParts, workOff } from './ingest-work.ts'

/**
 * Puts inputs into the queue, and works it off at the same time; a failure of either ends both. How each model was asked.
 * Raises what both raise.
 */
export async function fillAndWorkOff(
  publishing: Publishing,
  inputs: readonly Input[],
  working: Omit<WorkParts, 'isFilled'>,
): Promise<readonly EmbedCounts[]> {
  const failed = new AbortController()
  const together = <T extends { readonly signal: AbortSignal }>(parts: T): T => ({
    ...parts,
    signal: AbortSignal.any([parts.signal, failed.signal]),
  })
  const endBoth = (error: unknown) => {
    failed.abort(error)
    throw error
  }
  let isFilled = false
  const filling = fill(together(publishing), inputs).catch(endBoth)
  const begin = filling.finally(() => {
    isFilled = true
  })
  const worked = workOff({ ...together(working), isFilled: () => isFilled }).catch(endBoth)
  const [, runs] = await Promise.allSettled([begin, worked])
  working.signal.throwIfAborted()
  failed.signal.throwIfAborted()
  if (runs.status === 'rejected') throw runs.reason
  return runs.value
}

export async function fill(publishing: Publishing, inputs: readonly Input[]): Promise<void> {
  for (const input of inputs) await publishInput(publishing, input)
}
