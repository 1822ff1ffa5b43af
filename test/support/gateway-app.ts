import { isMatching, parseFilter } from '../../lib/domain/filter.ts'
import { embedLexical, normalizeLexical } from '../../lib/domain/lexical.ts'
import type { PartialPolicy } from '../../lib/domain/partial.ts'
import { createRandom } from '../../lib/domain/random.ts'
import { innerProduct } from '../../lib/domain/similarity.ts'
import { compareHits } from '../../lib/domain/top-k.ts'
import type { Embedder } from '../../lib/ports/embedder.ts'
import { createAnswerCache } from '../../services/gateway/answer-cache.ts'
import { createAnswers } from '../../services/gateway/answers.ts'
import { createGatewayMetrics } from '../../services/gateway/gateway-metrics.ts'
import type { ShardAnswer, ShardHit, ShardQuery } from '../../services/gateway/index-client.ts'
import { addGatewayRoutes } from '../../services/gateway/routes.ts'
import { createSearch } from '../../services/gateway/search.ts'
import { createShardCounters } from '../../services/gateway/shard-counters.ts'
import { createService, READY } from '../../services/http/service.ts'
import { parseSettings } from '../../services/settings.ts'
import { makeManifest } from './fakes/manifest.ts'
import { makeModel } from './generation.ts'
import type { Answer } from './services.ts'

export type StoredItem = {
  readonly id: string
  readonly text?: string
  readonly cluster: number
  readonly vector: readonly number[]
  readonly [member: string]: unknown
}

export type GatewayAppOptions = {
  readonly items: readonly StoredItem[]
  /** Row-major [clusters, dimensions] */
  readonly centroids: Float32Array
  readonly clusters: number
  readonly partial?: PartialPolicy
  /** That of the generation. */
  readonly threshold?: number
  readonly cacheEntries?: number
  readonly embedder?: Embedder
  readonly timeoutMs?: number
  /** Done before a shard answers; may raise what an index client raises. */
  readonly beforeShard?: (query: ShardQuery) => void | Promise<void>
}

/** The gateway's routes over shards in memory, asked without a network. */
export function makeGatewayApp(options: GatewayAppOptions) {
  const { items, centroids, clusters, partial = 'fail', cacheEntries = 100, timeoutMs = 5000 } = options
  const dimensions = centroids.length / clusters
  const model = makeModel(dimensions)
  const shards = Array.from({ length: clusters }, (_, id) => ({
    id,
    items: items.filter(({ cluster }) => cluster === id).length,
  }))
  const routing = { nprobe: clusters, recallTarget: 1, measured: [] }
  const manifest = makeManifest('dg_1', {
    ...{ model, clusters: shards, routing },
    ...(options.threshold !== undefined && { threshold: options.threshold }),
  })
  const ref = { name: manifest.generation, digest: manifest.digest }
  const catalog = { ref, manifest, centroids, golden: { k: 10, queries: [], pairs: [] } }
  const settings = parseSettings('gateway', { GENERATIONS: '' })
  const base = createService(settings, () => undefined, { readiness: () => READY, status: () => ({}) })
  const counters = createShardCounters()
  const cache = createAnswerCache({ entries: cacheEntries, bytes: 1 << 20 })
  const metrics = createGatewayMetrics(base.register, { counters, cache })
  const asked: ShardQuery[] = []
  const askShard = async (query: ShardQuery): Promise<ShardAnswer> => {
    asked.push(query)
    await options.beforeShard?.(query)
    const hits = splitRows(query.vectors, dimensions).map((vector) => searchItems(items, vector, query))
    return { hits, searchMs: 1, kind: 'exact', endpoint: 'http://test', hedged: false }
  }
  const embedded: (readonly string[])[] = []
  const builtin: Embedder = { embed: async (texts) => embedLexical(texts, dimensions) }
  const embedder: Embedder = {
    embed: async (texts, signal) => {
      embedded.push(texts)
      return await (options.embedder ?? builtin).embed(texts, signal)
    },
  }
  const search = createSearch({ catalog, embedder, askShard, metrics })
  const answers = createAnswers({ ref, search, cache, normalize: normalizeLexical, metrics, timeoutMs })
  addGatewayRoutes(base.app, { catalog, answers, readiness: () => READY, partial })
  return {
    app: base.app,
    answers,
    cache,
    counters,
    /** What shards were asked, and which texts were embedded together, so far. */
    asked,
    embedded,
    async post(body: unknown, url = '/v1/search'): Promise<Answer> {
      const isText = typeof body === 'string'
      const headers = { 'content-type': 'application/json' }
      const payload = isText ? body : JSON.stringify(body)
      const reply = await base.app.inject({ method: 'POST', url, headers, payload })
      return { status: reply.statusCode, headers: reply.headers, body: reply.json() }
    },
    async readMetrics(): Promise<string> {
      return (await base.app.inject('/metrics')).body
    },
  }
}

export type GatewayApp = ReturnType<typeof makeGatewayApp>

function searchItems(items: readonly StoredItem[], vector: Float32Array, query: ShardQuery): ShardHit[] {
  const { cluster, k, threshold = Number.NEGATIVE_INFINITY, filter } = query
  const conditions = filter === undefined ? [] : parseFilter(JSON.parse(filter))
  return items
    .filter((item) => item.cluster === cluster && isMatching(conditions, item))
    .map(({ vector: stored, cluster: _cluster, ...item }) => ({
      id: item.id,
      score: Math.fround(innerProduct(stored, vector)),
      item,
    }))
    .filter(({ score }) => score >= threshold)
    .sort(compareHits)
    .slice(0, k)
}

function splitRows(vectors: Float32Array, dimensions: number): Float32Array[] {
  return Array.from({ length: vectors.length / dimensions }, (_, row) =>
    vectors.subarray(row * dimensions, (row + 1) * dimensions),
  )
}

/** Items around the unit vectors of as many clusters, the same for every seed; texts repeat, years and languages vary. */
export function makeItems(count: number, clusters: number, dimensions: number, seed = 1): StoredItem[] {
  const random = createRandom(seed)
  return Array.from({ length: count }, (_, at) => {
    const cluster = at % clusters
    const values = Array.from({ length: dimensions }, (_, axis) => (axis === cluster ? 1 : random() - 0.5))
    const length = Math.hypot(...values)
    return {
      id: `i${at}`,
      text: `text ${Math.floor(random() * (count / 4))}`,
      cluster,
      vector: values.map((value) => Math.fround(value / length)),
      year: 2000 + (at % 7),
      lang: at % 3 === 0 ? 'en' : 'de',
    }
  })
}

/** Centroids [clusters, dimensions]: the first unit vectors. */
export function makeCentroids(clusters: number, dimensions: number): Float32Array {
  return Float32Array.from({ length: clusters * dimensions }, (_, at) =>
    at % dimensions === Math.floor(at / dimensions) ? 1 : 0,
  )
}
