import { readFile } from 'node:fs/promises'
import { Gauge, type Registry } from 'prom-client'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { runService, type StartService } from '../http/run-service.ts'
import { createService, READY } from '../http/service.ts'
import { type Environment, readNumber } from '../settings.ts'
import { createBackendClient } from './ask-backend.ts'
import { createBackendHealth } from './backend-health.ts'
import { addControlRoutes } from './control-routes.ts'
import { forward } from './forward.ts'
import { createRecentRequests } from './recent-requests.ts'
import { openRouteFile } from './route-file.ts'
import { createShadowCopies } from './shadow-copies.ts'

const BODY_LIMIT = 64 << 20

/**
 * Stands before model servers: sends each request to one of the servers of its service, by weight, and to another should that one
 * fail. ROUTES names the file of the routes, TOKEN_FILE that of the token for changing them. Raises `usage`.
 */
export const startRouter: StartService = async (settings, env, log) => {
  const { ROUTES } = env
  if (!ROUTES) throw new LongshoreError('usage', 'ROUTES: expected the path of a file, found nothing')
  const token = await readToken(env)
  const client = createBackendClient(settings.timeoutMs)
  const health = createBackendHealth()
  const routes = await openRouteFile(ROUTES, { log, onChange: health.keepOnly })
  const recent = createRecentRequests(readNumber(env, 'RECENT', 200))
  const shadows = createShadowCopies(client)
  const status = () => ({ routes: routes.table(), backends: health.list(), shadow: shadows.counts() })
  const base = createService(settings, log, { readiness: () => READY, status })
  addGauges(base.register, { health, shadows })
  await base.app.register(async (app) => addControlRoutes(app, { routes, recent, token }))
  await base.app.register(async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => body)
    app.all('/*', { bodyLimit: BODY_LIMIT }, async ({ method, headers, url, body }, reply) => {
      const parts = { table: routes.table, client, health, recent, shadows }
      const asked = { method, headers, path: url, body: Buffer.isBuffer(body) ? body : undefined }
      const answer = await forward(asked, parts)
      for (const [name, value] of Object.entries(answer.headers)) {
        if (value !== undefined) reply.header(name, value)
      }
      return reply.status(answer.status).send(answer.body)
    })
  })
  return await runService(base, { settings, log })
}

type Watched = {
  readonly health: ReturnType<typeof createBackendHealth>
  readonly shadows: ReturnType<typeof createShadowCopies>
}

function addGauges(register: Registry, { health, shadows }: Watched): void {
  const registers = [register]
  new Gauge({
    name: 'longshore_router_requests',
    help: 'Requests that a backend has answered or failed to answer',
    labelNames: ['url', 'service', 'outcome'],
    registers,
    collect() {
      for (const { url, service, answered, failed } of health.list()) {
        this.set({ url, service, outcome: 'answered' }, answered)
        this.set({ url, service, outcome: 'failed' }, failed)
      }
    },
  })
  new Gauge({
    name: 'longshore_router_shadow_copies',
    help: 'Copies of requests by what became of them',
    labelNames: ['outcome'],
    registers,
    collect() {
      for (const [outcome, count] of Object.entries(shadows.counts())) this.set({ outcome }, count)
    },
  })
}

async function readToken({ TOKEN_FILE }: Environment): Promise<string> {
  return TOKEN_FILE ? (await readFile(TOKEN_FILE, 'utf8')).trim() : ''
}
