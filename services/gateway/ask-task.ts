import type { HttpClient } from '../../lib/adapters/http/client.ts'
import { UnreachableError } from '../../lib/adapters/http/unreachable.ts'
import { messageOf } from '../../lib/domain/errors.ts'
import type { GenerationRef } from '../../lib/domain/generation.ts'
import { HttpError } from '../http/http-error.ts'
import type { ShardAnswer, ShardHit, ShardQuery } from './index-client.ts'

export type TaskQuestion = {
  readonly query: ShardQuery
  readonly ref: GenerationRef
  readonly client: HttpClient
  /** What is left for the answer. */
  readonly leftMs: number
  readonly signal: AbortSignal
}

/** A task is there, and will answer soon. */
export class BusyError extends UnreachableError {}

/** Whether a question itself was refused, as every other task would refuse it. */
export function isRefusal(error: unknown): error is HttpError {
  return error instanceof HttpError && error.status < 500
}

/**
 * Asks one task. Raises BusyError when it cannot answer now, UnreachableError when it cannot be reached or serves another
 * cluster, HttpError 413 as the task does, 502 when it serves another generation or another content under its name.
 */
export async function askTask(endpoint: string, question: TaskQuestion): Promise<ShardAnswer> {
  const { query, ref, client, signal } = question
  const { status, body } = await client.post(`${endpoint}/v1/search?${renderQuestion(question)}`, {
    body: new Uint8Array(query.vectors.buffer, query.vectors.byteOffset, query.vectors.byteLength),
    contentType: 'application/octet-stream',
    signal,
  })
  const answer = parseAnswer(body, endpoint)
  if (status === 503) throw new BusyError(`${endpoint}: ${answer.error?.message}`)
  // What no task can answer is the client's to mend.
  if (status === 413 && answer.error) throw new HttpError(413, answer.error.code, answer.error.message)
  if (status !== 200) {
    const code = status === 409 ? 'generation_not_served' : 'index_failed'
    throw new HttpError(502, code, `${endpoint} answered ${status}: ${answer.error?.message}`)
  }
  if (answer.generation !== ref.name || answer.digest !== ref.digest) {
    const found = `${answer.generation} with digest ${answer.digest}`
    const expected = `${ref.name} with ${ref.digest}`
    throw new HttpError(502, 'generation_mismatch', `${endpoint} serves ${found}, expected ${expected}`)
  }
  // The address of a task that has ended may be given to a task of another service.
  if (answer.cluster !== query.cluster) {
    throw new UnreachableError(
      `${endpoint} serves cluster ${answer.cluster} by now, expected ${query.cluster}`,
    )
  }
  const { hits, searchMs = 0, kind = 'exact' } = answer
  return { hits: hits!, searchMs, kind, endpoint, hedged: false }
}

function renderQuestion({ query, ref, leftMs }: TaskQuestion): string {
  const { k, threshold, filter } = query
  const parts = [`generation=${ref.name}`, `k=${k}`, `deadlineMs=${Math.max(1, Math.floor(leftMs))}`]
  if (threshold !== undefined) parts.push(`threshold=${threshold}`)
  if (filter !== undefined) parts.push(`filter=${encodeURIComponent(filter)}`)
  return parts.join('&')
}

type IndexAnswer = {
  readonly generation?: string
  readonly digest?: string
  readonly cluster?: number
  readonly hits?: readonly (readonly ShardHit[])[]
  readonly searchMs?: number
  readonly kind?: string
  readonly error?: { readonly code: string; readonly message: string }
}

function parseAnswer(body: Buffer, endpoint: string): IndexAnswer {
  try {
    return JSON.parse(body.toString('utf8')) as IndexAnswer
  } catch (error) {
    throw new HttpError(502, 'index_failed', `${endpoint} answered no JSON: ${messageOf(error)}`)
  }
}
