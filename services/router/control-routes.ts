import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { parseRouteTable } from '../../lib/domain/route-table.ts'
import { createGuard } from '../http/bearer.ts'
import { badRequest } from '../http/http-error.ts'
import type { RecentRequests } from './recent-requests.ts'
import type { RouteFile } from './route-file.ts'

type ControlParts = {
  readonly routes: RouteFile
  readonly recent: RecentRequests
  /** What callers must show; without one nobody may change or read anything. */
  readonly token: string
}

/** What the operator's commands ask of a router: routes, and requests to compare with. */
export function addControlRoutes(app: FastifyInstance, { routes, recent, token }: ControlParts): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, body: string) => body)
  const digest = token === '' ? undefined : createHash('sha256').update(token).digest('hex')
  app.addHook('onRequest', createGuard(digest, 'expected the header authorization: Bearer TOKEN'))
  app.get('/v1/routes', async () => routes.table())
  app.put('/v1/routes', async ({ body }) => {
    await routes.replace(parse(String(body)))
    return routes.table()
  })
  app.get<{ Querystring: { service?: string } }>('/v1/recent', async ({ query }) => ({
    requests: recent.list(query.service?.toLowerCase()),
  }))
}

function parse(text: string) {
  try {
    return parseRouteTable(text, 'the body')
  } catch (error) {
    throw error instanceof LongshoreError ? badRequest(error.message) : error
  }
}
