import type { FastifyInstance, FastifyReply } from 'fastify'
import { queryModelOf } from '../../lib/domain/bridge.ts'
import { countGallery } from '../../lib/domain/gallery-counts.ts'
import type { PartialPolicy } from '../../lib/domain/partial.ts'
import { gone } from '../http/gone.ts'
import { HttpError } from '../http/http-error.ts'
import type { Readiness } from '../http/service.ts'
import type { Answers } from './answers.ts'
import type { Catalog } from './catalog.ts'
import { createCrossing, crossQueries } from './cross-bridge.ts'
import { renderReply } from './render-reply.ts'
import type { Result } from './search.ts'
import { MOST_QUERIES, parseQuery, parseSearchBody } from './search-body.ts'

export type GatewayParts = {
  readonly catalog: Catalog
  readonly answers: Answers
  readonly readiness: () => Readiness
  /** What becomes of a query that does not say, when a shard does not answer. */
  readonly partial: PartialPolicy
}

/** What the reference system answers, with status 200, to anything but JSON. */
const NOT_JSON = 'Content-Type not supported! Please use JSON with "query" field.'
const LEAST_BODY_LIMIT = 4 << 20
const MOST_BODY_LIMIT = 32 << 20
/** Digits, sign, exponent and comma of a number. */
const BYTES_PER_NUMBER = 26

/** Adds what a gateway answers besides the common endpoints. */
export function addGatewayRoutes(app: FastifyInstance, parts: GatewayParts): void {
  const { catalog, answers, readiness, partial } = parts
  const { ref, manifest } = catalog
  const model = queryModelOf(manifest)
  const cross = createCrossing(catalog)
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-longshore-generation', ref.name)
  })
  app.post('/v1/search', { bodyLimit: limitBody(model.dimensions) }, async (request, reply) => {
    const start = performance.now()
    checkReadiness(readiness())
    const asked = parseSearchBody(request.body, manifest, { partial })
    const { options } = asked
    const queries = crossQueries(asked.queries, cross)
    const found = asked.explain
      ? await answers.explain(queries, options, gone(reply))
      : { answers: await answers.ask(queries, options, gone(reply)) }
    markCoverage(reply, found.answers)
    reply.type('application/json; charset=utf-8')
    return renderReply({ ...found, ref, model, isBatch: asked.isBatch, start })
  })
  app.get<{ Params: { gallery: string } }>('/v3/galleries/:objtype/:gallery', async (request) => ({
    name: request.params.gallery,
    ...countGallery(manifest),
  }))
  app.register(async (scope) => addReferenceRoute(scope, parts))
}

/** POST /input as the reference system's clients know it, but with the best match. */
function addReferenceRoute(
  app: FastifyInstance,
  { catalog, answers, readiness, partial }: GatewayParts,
): void {
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async () => NOT_JSON)
  app.post('/input', async (request, reply) => {
    if (request.body === NOT_JSON || !isJson(request.headers['content-type'])) {
      return reply.type('text/html; charset=utf-8').send(NOT_JSON)
    }
    checkReadiness(readiness())
    const query = parseQuery((request.body as { query?: unknown } | null)?.query)
    const { nprobe } = catalog.manifest.routing
    const found = await answers.ask({ texts: [query] }, { k: 1, nprobe, partial }, gone(reply))
    markCoverage(reply, found)
    const [best] = (JSON.parse(found[0]!.json) as Result).hits
    if (!best) throw new HttpError(404, 'empty', `${catalog.ref.name} holds no items`)
    return { best_match: best.item.text ?? best.id, cluster: String(best.cluster) }
  })
}

/** A partial answer is told in its head too, for those who look at nothing else and for caches between. */
function markCoverage(reply: FastifyReply, answers: readonly { readonly isComplete: boolean }[]): void {
  if (answers.some(({ isComplete }) => !isComplete)) {
    reply.header('x-longshore-coverage', 'partial').header('cache-control', 'no-store')
  }
}

/** Room for as many vectors as a batch may have. */
function limitBody(dimensions: number): number {
  return Math.min(MOST_BODY_LIMIT, LEAST_BODY_LIMIT + MOST_QUERIES * dimensions * BYTES_PER_NUMBER)
}

function checkReadiness(readiness: Readiness): void {
  if (!readiness.isReady) throw new HttpError(503, readiness.code, readiness.message)
}

function isJson(contentType: string | undefined): boolean {
  return contentType?.split(';')[0]?.trim().toLowerCase() === 'application/json'
}
