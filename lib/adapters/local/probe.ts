import { messageOf } from '../../domain/errors.ts'
import { readError, requestJson } from './http-json.ts'

const TIMEOUT_MS = 5000

/** What a task says of itself at GET /readyz. */
export type Readiness =
  | { readonly isReady: true }
  | { readonly isReady: false; readonly code: string; readonly message: string }

/** Asks a task on its own socket whether it may take traffic; one that does not answer is not ready. */
export async function probeReadiness(url: string): Promise<Readiness> {
  try {
    const reply = await requestJson(`${url}/readyz`, { timeoutMs: TIMEOUT_MS })
    return reply.status === 200 ? { isReady: true } : { isReady: false, ...readError(reply) }
  } catch (error) {
    return { isReady: false, code: 'no_answer', message: `does not answer: ${messageOf(error)}` }
  }
}
