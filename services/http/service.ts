import type { RequestListener } from 'node:http'
import fastify, { type FastifyInstance } from 'fastify'
import type { Settings } from '../settings.ts'
import { addTracing } from '../trace/add-tracing.ts'
import type { Admission } from './admission.ts'
import { describeFailure, HttpError } from './http-error.ts'
import type { Log } from './log.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { addShedding } from './shed-load.ts'

/** Whether a service may take traffic, and if not, why. */
export type Readiness =
  | { readonly isReady: true }
  | { readonly isReady: false; readonly code: string; readonly message: string }

export type ServiceBase = {
  readonly app: FastifyInstance
  /** What a server calls for each request. */
  readonly handle: RequestListener
  /** Where a service adds measures of its own to /metrics. */
  readonly register: Metrics['register']
  /** Whether it may take traffic, as /readyz tells. */
  readonly readiness: () => Readiness
  /** Turns readiness off, and has every answer close its connection. */
  beginDraining(): void
}

export type ServiceFacts = {
  readonly readiness: () => Readiness
  /** Members of /v1/status besides the common ones. */
  readonly status: () => Readonly<Record<string, unknown>>
  /** Which requests are begun; all where it is left out. */
  readonly admission?: Admission
}

export const READY: Readiness = { isReady: true }

const JSON_LIMIT = 1 << 20

/** What all services have in common: errors as `{"error":{"code","message"}}`, health, status and metrics. */
export function createService(settings: Settings, log: Log, facts: ServiceFacts): ServiceBase {
  const { service, task, node, generations } = settings
  const metrics = createMetrics({ service, task }, generations)
  const app = fastify({ logger: false, bodyLimit: JSON_LIMIT, forceCloseConnections: false })
  let isDraining = false

  addTracing(app, settings, log)
  app.addHook('onRequest', async () => metrics.begin())
  app.addHook('onSend', async (_request, reply) => {
    if (isDraining) reply.header('connection', 'close')
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown'
    metrics.end({ route, status: reply.statusCode, seconds: reply.elapsedTime / 1000 })
  })
  app.setErrorHandler((error, request, reply) => {
    const { status, code, message, more } = describeFailure(error)
    if (status === 500) log('request_failed', { url: request.url, stack: (error as Error).stack })
    return reply.status(status).send({ error: { code, message }, ...more })
  })
  app.setNotFoundHandler((request) => {
    throw new HttpError(404, 'not_found', `there is no ${request.method} ${request.url}`)
  })

  app.get('/healthz', async () => ({ alive: true }))
  const readiness = (): Readiness =>
    isDraining ? { isReady: false, code: 'draining', message: 'is being stopped' } : facts.readiness()
  app.get('/readyz', async () => {
    const found = readiness()
    if (!found.isReady) throw new HttpError(503, found.code, found.message)
    return { ready: true }
  })
  app.get('/v1/status', async () => {
    return { service, task, node, generations, inFlight: metrics.inFlight(), isDraining, ...facts.status() }
  })
  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await metrics.render()
    return reply.type(contentType).send(text)
  })
  const handle: RequestListener = (request, response) => app.routing(request, response)
  return {
    app,
    handle: facts.admission ? addShedding(handle, facts.admission, metrics.register) : handle,
    register: metrics.register,
    readiness,
    beginDraining: () => {
      isDraining = true
    },
  }
}
