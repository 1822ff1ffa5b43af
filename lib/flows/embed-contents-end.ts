import { LongshoreError } from '../domain/errors.ts'
import type { Pauses } from '../domain/in-flight-pauses.ts'
import { EmbedError } from '../ports/embedding-server.ts'

const CONTINUE = 'run the same command again: it continues with what is left'

/** The end of a run whose server will embed nothing more. `reason` is why it refused single contents before, where it did. */
export function explainStop({ message, cause }: EmbedError, reason: string | undefined): LongshoreError {
  const earlier = reason === undefined ? '' : `; before that: ${reason}`
  return new LongshoreError('remote', `the embedding server gives no embeddings: ${message}${earlier}`, {
    hint: `check the server, and extraction in the profile; then ${CONTINUE}`,
    cause,
  })
}

/** The end of a run whose server has given nothing for too long, or asks to be left alone for longer than that; undefined before. */
export function explainSilence(
  { message }: EmbedError,
  { progressAt, until }: Pauses,
  { now, giveUpMs }: { readonly now: number; readonly giveUpMs: number },
): LongshoreError | undefined {
  const asked = until - now
  if (asked > giveUpMs) {
    const what = `the embedding server asks to be left alone for ${renderSeconds(asked)}: ${message}`
    return new LongshoreError('remote', what, { hint: `after that time, ${CONTINUE}` })
  }
  if (now - progressAt < giveUpMs) return undefined
  const what = `the embedding server has embedded nothing for ${renderSeconds(now - progressAt)}: ${message}`
  return new LongshoreError('remote', what, {
    hint: `when the server is well, ${CONTINUE}; where it is slow, raise extraction.timeoutSeconds or lower extraction.batchItems`,
  })
}

/** An EmbedError outside of any batch, as operators are told it. Raises `remote`. */
export function raiseRemote(error: unknown): never {
  throw error instanceof EmbedError ? explainStop(error, undefined) : error
}

function renderSeconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
