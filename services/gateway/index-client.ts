import { setTimeout as wait } from 'node:timers/promises'
import type { Item } from '../../lib/adapters/generations/served-shard.ts'
import type { HttpClient } from '../../lib/adapters/http/client.ts'
import { UnreachableError } from '../../lib/adapters/http/unreachable.ts'
import { messageOf } from '../../lib/domain/errors.ts'
import type { GenerationRef } from '../../lib/domain/generation.ts'
import { type Group, indexServiceName } from '../../lib/domain/service.ts'
import { HttpError } from '../http/http-error.ts'
import type { Discovery } from './discovery.ts'
import { createTaskOrder } from './task-order.ts'

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
  /** Where the replicas of a shard are: in one service, or in one for each group. */
  readonly groups: readonly Group[]
  readonly discovery: Discovery
  readonly client: HttpClient
  /** How long one task may take before another one is asked. */
  readonly attemptMs: number
}

const PAUSE_MS = 25

/**
 * A client pinned to one generation. A task that cannot be reached, or says that it cannot answer now, is passed over;
 * all are tried again until the deadline (then UnreachableError). A task that holds another generation, or another
 * content under its name, is passed over too; when tasks of every group are known and each of them does, HttpError 502
 * tells which. Who was passed over is asked last for a while, except for being busy.
 */
export function createIndexClient(options: IndexClientOptions): IndexClient {
  const { discovery, groups } = options
  const order = createTaskOrder()
  return async (query) => {
    const services = groups.map((group) => indexServiceName(query.cluster, group))
    for (;;) {
      const known = services.map((service) => discovery.endpointsOf(service))
      const failures: unknown[] = services
        .filter((_, index) => known[index]!.length === 0)
        .map((service) => new UnreachableError(`no task of ${service} is known`))
      for (const endpoint of order.arrange(interleave(known))) {
        try {
          const hits = await askTask(endpoint, query, options)
          order.trust(endpoint)
          return hits
        } catch (error) {
          failures.push(error)
        }
        if (query.signal.aborted) break
        if (!(failures.at(-1) instanceof BusyError)) order.rest(endpoint)
      }
      const last = failures.at(-1)
      if (failures.every((failure) => failure instanceof HttpError)) throw last
      if (query.signal.aborted) throw new UnreachableError(`${services[0]}: ${messageOf(last)}`, last)
      await wait(PAUSE_MS)
      discovery.refresh()
    }
  }
}

/** Neighbours are of different groups: what fails together does not stand together. */
function interleave(groups: readonly (readonly string[])[]): string[] {
  const longest = Math.max(...groups.map((addresses) => addresses.length))
  return Array.from({ length: longest }, (_, at) => groups.flatMap((addresses) => addresses[at] ?? [])).flat()
}

/** A task is there, and will answer soon. */
class BusyError extends UnreachableError {}

async function askTask(
  endpoint: string,
  { cluster, vector, k, signal }: ShardQuery,
  { ref, client, attemptMs }: IndexClientOptions,
): Promise<readonly ShardHit[]> {
  const { status, body } = await client.post(`${endpoint}/v1/search?generation=${ref.name}&k=${k}`, {
    body: new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength),
    contentType: 'application/octet-stream',
    signal: AbortSignal.any([signal, AbortSignal.timeout(attemptMs)]),
  })
  const answer = parseAnswer(body, endpoint)
  if (status === 503) throw new BusyError(`${endpoint}: ${answer.error?.message}`)
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
  // The address of a task that has ended may be given to a task of another service.
  if (answer.cluster !== cluster) {
    throw new UnreachableError(`${endpoint} serves cluster ${answer.cluster} by now, expected ${cluster}`)
  }
  return answer.hits![0]!
}

type IndexAnswer = {
  readonly generation?: string
  readonly digest?: string
  readonly cluster?: number
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
