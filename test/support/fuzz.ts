import type { FastifyInstance } from 'fastify'
import { compareHits } from '../../lib/domain/top-k.ts'
import { createFuzzer, type FuzzRequest, type Seed } from './fuzz-bodies.ts'

export type FuzzTarget = {
  readonly name: string
  readonly app: FastifyInstance
  readonly seeds: readonly Seed[]
  /** Codes of errors with status 5xx that are meant. */
  readonly deliberate: readonly string[]
}

/** How many requests were answered with each status. */
export type FuzzReport = Readonly<Record<number, number>>

const AT_ONCE = 32

/**
 * Sends so many made-up requests to a service in this process. Raises an error with the request for the first one that is
 * not answered as it should be: with hits in their order and finite scores, or with an error that is meant.
 */
export async function fuzz(
  target: FuzzTarget,
  { bodies, seed }: { readonly bodies: number; readonly seed: number },
): Promise<FuzzReport> {
  const next = createFuzzer(target.seeds, seed)
  const statuses: Record<number, number> = {}
  let left = bodies
  const work = async () => {
    while (left-- > 0) {
      const request = next()
      const { statusCode, headers, body } = await target.app.inject(request)
      statuses[statusCode] = (statuses[statusCode] ?? 0) + 1
      const isJson = String(headers['content-type']).startsWith('application/json')
      const problem = findProblem(statusCode, isJson ? body : undefined, target)
      if (problem !== undefined) throw new Error(`${target.name}: ${problem}\n${describe(request)}\n${body}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return statuses
}

function findProblem(
  status: number,
  json: string | undefined,
  { deliberate }: FuzzTarget,
): string | undefined {
  if (json === undefined) return status === 200 ? undefined : `status ${status} without JSON`
  const answer = JSON.parse(json) as {
    error?: { code?: unknown; message?: unknown }
    results?: readonly { hits: readonly Hit[] }[]
    hits?: readonly Hit[] | readonly (readonly Hit[])[]
  }
  if (status !== 200) {
    const { code, message } = answer.error ?? {}
    if (typeof code !== 'string' || typeof message !== 'string') return `status ${status} without its error`
    return status < 500 || deliberate.includes(code) ? undefined : `status ${status} ${code}`
  }
  const lists = answer.results?.map(({ hits }) => hits) ?? nest(answer.hits ?? [])
  const isRight = lists.every((hits) => hits.every((hit, at) => isHit(hit) && isAfter(hit, hits[at - 1])))
  return isRight ? undefined : 'hits that are none, or out of order'
}

type Hit = { readonly id: string; readonly score: number }

function nest(hits: readonly Hit[] | readonly (readonly Hit[])[]): readonly (readonly Hit[])[] {
  return Array.isArray(hits[0]) ? (hits as readonly (readonly Hit[])[]) : [hits as readonly Hit[]]
}

function isHit(hit: Hit): boolean {
  return typeof hit.id === 'string' && Number.isFinite(hit.score)
}

function isAfter(hit: Hit, former: Hit | undefined): boolean {
  return former === undefined || compareHits(former, hit) <= 0
}

function describe({ url, headers, payload }: FuzzRequest): string {
  return `POST ${url} ${JSON.stringify(headers)} base64:${payload.toString('base64')}`
}
