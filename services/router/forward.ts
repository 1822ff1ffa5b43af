import { messageOf } from '../../lib/domain/errors.ts'
import { type Backend, orderBackends, type RouteTable } from '../../lib/domain/route-table.ts'
import { HttpError } from '../http/http-error.ts'
import {
  type BackendAnswer,
  type BackendClient,
  isClosed,
  isGone,
  type PassedRequest,
} from './ask-backend.ts'
import { type AskedService, findAskedService } from './asked-service.ts'
import type { BackendHealth } from './backend-health.ts'
import type { RecentRequests } from './recent-requests.ts'
import type { ShadowCopies } from './shadow-copies.ts'

export type ForwardParts = {
  readonly table: () => RouteTable
  readonly client: BackendClient
  readonly health: BackendHealth
  readonly recent: RecentRequests
  readonly shadows: ShadowCopies
  readonly random?: () => number
}

export type IncomingRequest = PassedRequest & { readonly path: string; readonly body: Buffer | undefined }

/** Methods that may be asked of another backend after one has failed; a prediction may, too. */
const REPEATABLE: readonly string[] = ['GET', 'HEAD']

/**
 * Answers a request by one of the backends of its service. One that fails before its answer is whole is followed by the next. Raises
 * HttpError: 404 where nobody is to be asked, 502 where nobody answers.
 */
export async function forward(incoming: IncomingRequest, parts: ForwardParts): Promise<BackendAnswer> {
  const asked = findAskedService(incoming.path, incoming.body)
  const { services, fallback } = parts.table()
  const route = asked.name === undefined ? undefined : services[asked.name]
  if (!route) {
    if (fallback === undefined) throw new HttpError(404, 'no_route', describeMissing(asked))
    const only: Backend = { url: fallback, service: asked.name ?? '', weight: 1 }
    return await askInTurn([only], asked, incoming, parts)
  }
  const order = orderBackends(
    route.backends,
    (backend) => parts.health.isOut(backend),
    (parts.random ?? Math.random)(),
  )
  const tried = mayRepeat(asked, incoming.method) ? order : order.slice(0, 1)
  const answer = await askInTurn(tried, asked, incoming, parts)
  if (asked.isPrediction && answer.status < 400 && asked.name !== undefined) {
    parts.recent.add(asked.name, incoming.body!)
    if (route.shadow) parts.shadows.add(route.shadow, asked, incoming)
  }
  return answer
}

async function askInTurn(
  backends: readonly Backend[],
  asked: AskedService,
  { method, headers }: PassedRequest,
  { client, health }: ForwardParts,
): Promise<BackendAnswer> {
  let last: BackendAnswer | undefined
  let problem: unknown
  for (const backend of backends) {
    try {
      const request = { method, headers, url: backend.url, ...asked.rename(backend.service) }
      const answer = await client.ask(request).catch((error: unknown) => {
        if (isClosed(error) && mayRepeat(asked, method)) return client.ask(request)
        throw error
      })
      if (!isFailure(answer, asked)) {
        health.succeed(backend, answer.tookMs)
        return answer
      }
      health.fail(backend, false)
      last ??= answer
    } catch (error) {
      health.fail(backend, isGone(error))
      problem = error
    }
  }
  if (last) return last
  throw new HttpError(502, 'no_answer', `no backend answers: ${messageOf(problem)}`)
}

function mayRepeat({ isPrediction }: AskedService, method: string): boolean {
  return isPrediction || REPEATABLE.includes(method)
}

/** A server that fails, or has lost the service: its services are in memory alone, and gone after a restart. */
function isFailure({ status }: BackendAnswer, { isPrediction }: AskedService): boolean {
  return status >= 500 || (isPrediction && status === 404)
}

function describeMissing({ name }: AskedService): string {
  return name === undefined
    ? 'the request names no service, and the routes have no fallback'
    : `no route for ${name}`
}
