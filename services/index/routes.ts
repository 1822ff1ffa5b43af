import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { gone } from '../http/gone.ts'
import { HttpError } from '../http/http-error.ts'
import { parseVector } from '../http/parse-numbers.ts'
import { checkShard } from './check.ts'
import type { Filters } from './filters.ts'
import { findServed } from './find-served.ts'
import { parseSearchRequest, readRequest } from './search-request.ts'
import type { Searcher } from './searcher.ts'

export type IndexParts = {
  readonly cluster: number
  /** Of every resident generation, oldest first. */
  readonly manifests: readonly Manifest[]
  readonly searcher: Searcher
  readonly filters: Filters
}

const BINARY_LIMIT = 16 << 20
const RETRY_AFTER_S = 1
const CLOSE = Buffer.from('}')

/** Adds what an index service answers besides the common endpoints. */
export function addIndexRoutes(app: FastifyInstance, parts: IndexParts): void {
  const { cluster, manifests, searcher, filters } = parts
  const find = (generation: string) => findServed(manifests, generation)
  const binary = { parseAs: 'buffer', bodyLimit: BINARY_LIMIT } as const
  app.addContentTypeParser(
    'application/octet-stream',
    binary,
    async (_request: unknown, body: Buffer) => body,
  )
  const onSend = async (_request: unknown, reply: FastifyReply) => {
    if (reply.statusCode === 503) reply.header('retry-after', RETRY_AFTER_S)
  }

  app.post<{ Querystring: Record<string, unknown> }>('/v1/search', { onSend }, async (request, reply) => {
    const arrived = performance.now()
    const asked = readRequest(request.body, request.query)
    const { generation, digest, model } = find(asked.generation)
    const { filter, deadlineMs, ...parsed } = parseSearchRequest(asked, model.dimensions)
    const signal = gone(reply)
    const deadline = deadlineMs === undefined ? undefined : arrived + deadlineMs
    const rows = filter && (await filters.rowsOf(generation, filter))
    const { hits, kind, searchMs } = await searcher.search({ ...parsed, rows, deadline, signal })
    const facts = { generation, digest, cluster, kind, searchMs: Number(searchMs.toFixed(3)) }
    const about = Buffer.from(`${JSON.stringify(facts).slice(0, -1)},"hits":`)
    return reply.type('application/json').send(Buffer.concat([about, ...hits, CLOSE]))
  })

  app.get<{ Params: { generation: string } }>('/v1/check/:generation', async (request, reply) => {
    const manifest = find(request.params.generation)
    const { generation, digest } = manifest
    const result = await checkShard(searcher, manifest, cluster, gone(reply))
    return { generation, digest, cluster, ...result }
  })

  app.post('/get_best_from_k', { onSend }, async (request, reply) => {
    const { generation, model } = manifests[manifests.length - 1]!
    const { emb } = (request.body ?? {}) as { emb?: unknown }
    const vectors = parseVector(emb, model.dimensions, 'emb')
    const { hits } = await searcher.search({ generation, vectors, queries: 1, k: 1, signal: gone(reply) })
    const [[best]] = JSON.parse(Buffer.concat(hits).toString('utf8')) as [
      [{ id: string; item: { text?: string } }?],
    ]
    if (!best) throw new HttpError(404, 'empty', `cluster ${cluster} of ${generation} holds no items`)
    return { best_match: best.item.text ?? best.id, cluster_id: String(cluster) }
  })
}
