import type { FastifyInstance } from 'fastify'
import { queryModelOf } from '../../../lib/domain/bridge.ts'
import type { PartialPolicy } from '../../../lib/domain/partial.ts'
import { createGuard } from '../../http/bearer.ts'
import { gone } from '../../http/gone.ts'
import { badRequest, HttpError } from '../../http/http-error.ts'
import { createCrossing, crossQueries } from '../cross-bridge.ts'
import { renderReply } from '../render-reply.ts'
import { parseQuery, parseSearchBody } from '../search-body.ts'
import type { DatedFacts, FactsSource } from './facts.ts'
import type { GalleryMap } from './gallery-map.ts'
import type { Generations, OpenGeneration } from './generations.ts'
import type { ScrapeTarget } from './scrape-targets.ts'
import type { ConsoleSettings } from './settings.ts'

export type ConsoleParts = {
  readonly settings: ConsoleSettings
  readonly served: string
  readonly generations: Generations
  readonly facts: FactsSource
  readonly partial: PartialPolicy
  readonly timeoutMs: number
  makeMap(open: OpenGeneration): Promise<GalleryMap>
  targets(): readonly ScrapeTarget[]
  /** Hands published facts on to the other gateways. */
  passOn(facts: DatedFacts, authorization: string): void
}

/** Set on facts that another gateway hands on, which stop here. */
export const PASSED_ON = 'x-longshore-passed-on'
const FACTS_LIMIT = 4 << 20

/** Adds what the page asks: everything that tells of the fleet, for those alone who know the token. */
export function addConsoleRoutes(app: FastifyInstance, parts: ConsoleParts): void {
  const { settings, generations, facts, served, passOn } = parts
  const { tokenDigest } = settings
  if (tokenDigest !== undefined)
    app.addHook('onRequest', createGuard(tokenDigest, 'expected the token of this console'))
  app.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'no-store'))

  app.get('/console/v1/about', async () => ({
    profile: settings.profile,
    serving: served,
    generations: await generations.list(),
    isPublished: facts.take !== undefined,
  }))
  app.get('/console/v1/targets', async () => parts.targets())
  app.get('/console/v1/facts', async () => ({ facts: await facts.read() }))
  app.post<{ Body: DatedFacts }>('/console/v1/facts', { bodyLimit: FACTS_LIMIT }, async (request, reply) => {
    const { body, headers } = request
    // Without a token anybody could tell anything.
    if (!facts.take || tokenDigest === undefined) {
      throw new HttpError(409, 'not_published', 'this console looks at the fleet itself')
    }
    if (typeof body?.at !== 'string' || !Array.isArray(body.nodes)) {
      throw badRequest('expected what status.mjs --publish sends')
    }
    facts.take(body)
    if (headers[PASSED_ON] === undefined) passOn(body, headers.authorization!)
    return reply.status(204).send()
  })
  addTrying(app, parts)
}

function addTrying(app: FastifyInstance, { generations, makeMap, partial, timeoutMs }: ConsoleParts): void {
  const maps = new Map<string, Promise<GalleryMap>>()
  const mapOf = (open: OpenGeneration) => {
    const { digest } = open.catalog.ref
    const map = maps.get(digest) ?? makeMap(open)
    maps.set(digest, map)
    // Index services that did not answer may do so the next time.
    map.then(
      ({ points }) => points.length === 0 && maps.delete(digest),
      () => maps.delete(digest),
    )
    return map
  }

  app.post<{ Body: Record<string, unknown> }>('/console/v1/search', async (request, reply) => {
    const start = performance.now()
    const { generation, ...body } = request.body ?? {}
    const { catalog, answers } = await generations.open(parseGeneration(generation))
    const { ref, manifest } = catalog
    const asked = parseSearchBody({ ...body, explain: true }, manifest, { partial })
    const queries = crossQueries(asked.queries, createCrossing(catalog))
    const found = await answers.explain(queries, asked.options, gone(reply))
    reply.type('application/json; charset=utf-8')
    const model = queryModelOf(manifest)
    return renderReply({ ...found, ref, model, isBatch: asked.isBatch, start })
  })
  app.post<{ Body: Record<string, unknown> }>('/console/v1/map', async (request) => {
    const { generation, query } = request.body ?? {}
    const open = await generations.open(parseGeneration(generation))
    const { place, ...map } = await mapOf(open)
    const { name } = open.catalog.ref
    if (query === undefined) return { generation: name, ...map }
    const signal = AbortSignal.timeout(timeoutMs)
    const waiting = { signal, deadline: performance.now() + timeoutMs }
    const [vector] = await open.search.embed([parseQuery(query)], waiting)
    return { generation: name, query: place(vector!) }
  })
}

function parseGeneration(name: unknown): string {
  if (typeof name === 'string') return name
  throw badRequest('generation: expected its name')
}
