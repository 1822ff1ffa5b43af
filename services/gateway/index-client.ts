import { setTimeout as wait } from 'node:timers/promises'
import type { Item } from '../../lib/adapters/generations/served-shard.ts'
import { type HttpClient, UnreachableError } from '../../lib/adapters/http/client.ts'
import { messageOf } from '../../lib/domain/errors.ts'
import type { GenerationRef } from '../../lib/domain/generation.ts'
import { indexServiceName } from '../../lib/domain/service.ts'
import { HttpError } from '../http/http-error.ts'
import type { Discovery } from './discovery.ts'

export type ShardHit = { readonly id: string; readonly score: number; readonly item: Item }

export type ShardQuery = {
  readonly cluster: number
  readonly vector: Float32Array
  readonly k: number
  /** Aborts at the request's deadline. */
  readonly signal: AbortSignal
}

/** Asks index services for the nearest items of one shard. */
export type IndexClient = (query: ShardQuery) => Promise<readonly ShardHit[]>

export type IndexClientOptions = {
  readonly ref: GenerationRef
  readonly discovery: Discovery
  readonly client: HttpClient
  /** How long one task may take before another one is asked. */
  readonly attemptMs: number
}

const PAUSE_MS = 25

/**
 * A client pinned to one generation. A task that cannot be reached, or says that it cannot answer now, is passed over;
 * all are tried again until the deadline (then UnreachableError). A task that holds another generation, or another
 * content under its name, is passed over too; when no other answers, HttpError 502 tells which.
 */
export function createIndexClient(options: IndexClientOptions): IndexClient {
  const { discovery } = options
  let turn = 0
  return async (query) => {
    const service = indexServiceName(query.cluster)
    let last: unknown = new UnreachableError(`no task of ${service} is known`)
    for (;;) {
      const endpoints = discovery.endpointsOf(service)
      const first = turn++
      for (const index of endpoints.keys()) {
        try {
          return await askTask(endpoints[(first + index) % endpoints.length]!, query, options)
        } catch (error) {
          last = error
        }
        if (query.signal.aborted) break
      }
      if (last instanceof HttpError) throw last
      if (query.signal.aborted) throw new UnreachableError(`${service}: ${messageOf(last)}`, last)
      await wait(PAUSE_MS)
      discovery.refresh()
    }
  }
}

async function askTask(
  endpoint: string,
  { vector, k, signal }: ShardQuery,
  { ref, client, attemptMs }: IndexClientOptions,
): Promise<readonly ShardHit[]> {
  const { status, body } = await client.post(`${endpoint}/v1/search?generation=${ref.name}&k=${k}`, {
    body: new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength),
    contentType: 'application/octet-stream',
    signal: AbortSignal.any([signal, AbortSignal.timeout(attemptMs)]),
  })
  const answer = parseAnswer(body, endpoint)
  if (status === 503) throw new UnreachableError(`${endpoint}: ${answer.error?.message}`)
  if (status !== 200) {
    const code = status === 409 ? 'generation_not_served' : 'index_failed'
    throw new HttpError(502, code, `${endpoint} answered ${status}: ${answer.error?.message}`)
  }
  if (answer.generation !== ref.name || answer.digest !== ref.digest) {
    const found = `${answer.generation} with digest ${answer.digest}`
    throw new HttpError(
      502,
      'generation_mismatch',
      `${endpoint} serves ${found}, expected ${ref.name} with ${ref.digest}`,
    )
  }
  return answer.hits![0]!
}

type IndexAnswer = {
  readonly generation?: string
  readonly digest?: string
  readonly hits?: readonly (readonly ShardHit[])[]
  readonly error?: { readonly message?: string }
}

function parseAnswer(body: Buffer, endpoint: string): IndexAnswer {
  try {
    return JSON.parse(body.toString('utf8')) as IndexAnswer
  } catch (error) {
    throw new HttpError(502, 'index_failed', `${endpoint} answered no JSON: ${messageOf(error)}`)
  }
}
