import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { HttpError } from '../http/http-error.ts'
import { parseVector } from '../http/parse-numbers.ts'
import { checkShard } from './check.ts'
import { parseSearchRequest, readRequest } from './search-request.ts'
import type { Searcher } from './searcher.ts'

export type IndexParts = {
  readonly cluster: number
  /** Of every resident generation, oldest first. */
  readonly manifests: readonly Manifest[]
  readonly searcher: Searcher
}

const BINARY_LIMIT = 16 << 20

/** Adds what an index service answers besides the common endpoints. */
export function addIndexRoutes(app: FastifyInstance, { cluster, manifests, searcher }: IndexParts): void {
  const find = (generation: string): Manifest => {
    const found = manifests.find((manifest) => manifest.generation === generation)
    if (found) return found
    const names = manifests.map((manifest) => manifest.generation).join(', ')
    throw new HttpError(409, 'generation_not_served', `${generation} is not served here, only ${names}`)
  }
  const binary = { parseAs: 'buffer', bodyLimit: BINARY_LIMIT } as const
  app.addContentTypeParser(
    'application/octet-stream',
    binary,
    async (_request: unknown, body: Buffer) => body,
  )

  app.post<{ Querystring: Record<string, unknown> }>('/v1/search', async (request, reply) => {
    const asked = readRequest(request.body, request.query)
    const { generation, digest, model } = find(asked.generation)
    const parsed = parseSearchRequest(asked, model.dimensions)
    const hits = await searcher.search({ ...parsed, signal: signalOf(reply) })
    const about = JSON.stringify({ generation, digest, cluster }).slice(0, -1)
    return reply.type('application/json').send(Buffer.concat([Buffer.from(`${about},"hits":`), hits, CLOSE]))
  })

  app.get<{ Params: { generation: string } }>('/v1/check/:generation', async (request, reply) => {
    const manifest = find(request.params.generation)
    const { generation, digest } = manifest
    return {
      generation,
      digest,
      cluster,
      ...(await checkShard(searcher, manifest, cluster, signalOf(reply))),
    }
  })

  app.post('/get_best_from_k', async (request, reply) => {
    const { generation, model } = manifests[manifests.length - 1]!
    const { emb } = (request.body ?? {}) as { emb?: unknown }
    const vectors = parseVector(emb, model.dimensions, 'emb')
    const answer = await searcher.search({ generation, vectors, queries: 1, k: 1, signal: signalOf(reply) })
    const [[best]] = JSON.parse(Buffer.from(answer).toString('utf8')) as [
      [{ id: string; item: { text?: string } }?],
    ]
    if (!best) throw new HttpError(404, 'empty', `cluster ${cluster} of ${generation} holds no items`)
    return { best_match: best.item.text ?? best.id, cluster_id: String(cluster) }
  })
}

const CLOSE = Buffer.from('}')

/** Aborts when the connection is closed before the answer was sent. */
function signalOf(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => controller.abort())
  return controller.signal
}
