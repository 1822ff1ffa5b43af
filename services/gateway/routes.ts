import type { FastifyInstance } from 'fastify'
import { countItems } from '../../lib/domain/manifest.ts'
import { HttpError } from '../http/http-error.ts'
import type { Readiness } from '../http/service.ts'
import type { Catalog } from './catalog.ts'
import type { Search } from './search.ts'
import { parseQuery, parseSearchBody } from './search-body.ts'

export type GatewayParts = {
  readonly catalog: Catalog
  readonly search: Search
  readonly readiness: () => Readiness
  /** How long one query may take. */
  readonly timeoutMs: number
}

/** What the reference system answers, with status 200, to anything but JSON. */
const NOT_JSON = 'Content-Type not supported! Please use JSON with "query" field.'

/** Adds what a gateway answers besides the common endpoints. */
export function addGatewayRoutes(app: FastifyInstance, parts: GatewayParts): void {
  const { ref, manifest } = parts.catalog
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-longshore-generation', ref.name)
  })
  const { name, version } = manifest.model
  app.post('/v1/search', async (request) => {
    const start = performance.now()
    checkReadiness(parts.readiness())
    const { query, k, nprobe } = parseSearchBody(request.body, manifest)
    const { hits, coverage } = await findWithin(query, { k, nprobe }, parts)
    const tookMs = Math.round((performance.now() - start) * 100) / 100
    return { generation: ref.name, model: { name, version }, hits, coverage, tookMs }
  })
  app.get<{ Params: { gallery: string } }>('/v3/galleries/:objtype/:gallery', async (request) => ({
    name: request.params.gallery,
    emben_model: name,
    emben_size: manifest.model.dimensions,
    objects: countItems(manifest),
  }))
  app.register(async (scope) => addReferenceRoute(scope, parts))
}

/** POST /input as the reference system's clients know it, but with the best match. */
function addReferenceRoute(app: FastifyInstance, parts: GatewayParts): void {
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async () => NOT_JSON)
  app.post('/input', async (request, reply) => {
    if (request.body === NOT_JSON || !isJson(request.headers['content-type'])) {
      return reply.type('text/html; charset=utf-8').send(NOT_JSON)
    }
    checkReadiness(parts.readiness())
    const query = parseQuery((request.body as { query?: unknown } | null)?.query)
    const { nprobe } = parts.catalog.manifest.routing
    const { hits } = await findWithin(query, { k: 1, nprobe }, parts)
    const [best] = hits
    if (!best) throw new HttpError(404, 'empty', `${parts.catalog.ref.name} holds no items`)
    return { best_match: best.item.text ?? best.id, cluster: String(best.cluster) }
  })
}

async function findWithin(
  query: string | Float32Array,
  limits: { readonly k: number; readonly nprobe: number },
  { search, timeoutMs }: GatewayParts,
) {
  const signal = AbortSignal.timeout(timeoutMs)
  const vector = typeof query === 'string' ? await search.embed(query, signal) : query
  return await search.find(vector, { ...limits, signal })
}

function checkReadiness(readiness: Readiness): void {
  if (!readiness.isReady) throw new HttpError(503, readiness.code, readiness.message)
}

function isJson(contentType: string | undefined): boolean {
  return contentType?.split(';')[0]?.trim().toLowerCase() === 'application/json'
}
