import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Log } from '../http/log.ts'
import type { Settings } from '../settings.ts'
import { createExporter } from './exporter.ts'
import { parseTraceParent } from './traceparent.ts'
import { beginSpan, type Span, withinSpan } from './tracer.ts'

/**
 * Has every POST be a span: of the trace that its `traceparent` names where that is recorded; without one, a gateway begins a trace for
 * a share of them.
 */
export function addTracing(app: FastifyInstance, { service, task, node, traces }: Settings, log: Log): void {
  if (!traces) return
  const resource = { 'service.name': `longshore-${service}`, 'service.instance.id': task, 'host.name': node }
  const exporter = createExporter({ url: traces.url, resource, log })
  const spans = new WeakMap<FastifyRequest, Span>()
  app.addHook('onRequest', (request, _reply, done) => {
    const parent = parseTraceParent(request.headers.traceparent)
    const isRecorded = parent ? parent.isSampled : service === 'gateway' && Math.random() < traces.share
    if (!isRecorded || request.method !== 'POST') return done()
    const name = `POST ${request.routeOptions.url ?? 'unknown'}`
    const span = beginSpan({ name, kind: 'server', parent }, exporter)
    spans.set(request, span)
    withinSpan(span, done)
  })
  app.addHook('onResponse', async (request, { statusCode }) => {
    spans.get(request)?.end({ 'http.response.status_code': statusCode }, statusCode >= 500)
  })
}
