import type { Manifest } from '../../lib/domain/manifest.ts'
import { createService, READY } from '../../services/http/service.ts'
import { createFilters } from '../../services/index/filters.ts'
import { addIndexRoutes } from '../../services/index/routes.ts'
import { createSearcher, startSearchThreads } from '../../services/index/searcher.ts'
import { parseSettings } from '../../services/settings.ts'
import type { FuzzTarget } from './fuzz.ts'
import type { Seed } from './fuzz-bodies.ts'
import { makeCentroids, makeGatewayApp, makeItems } from './gateway-app.ts'

const [CLUSTERS, DIMENSIONS] = [3, 8]
const JSON_TYPE = 'application/json'
const VECTOR = Array.from({ length: DIMENSIONS }, (_, at) => (at + 1) / 16)
const FILTER = { lang: 'en', year: { gte: 2001, lt: 2005 }, id: { in: ['i1', 'i2'] } }

/** The routes of a gateway over shards in memory. */
export function makeGatewayTarget(): FuzzTarget {
  const items = makeItems(60, CLUSTERS, DIMENSIONS)
  const gateway = makeGatewayApp({
    items,
    centroids: makeCentroids(CLUSTERS, DIMENSIONS),
    clusters: CLUSTERS,
    // Nobody reads what was asked, which would take the more memory the longer a run is.
    beforeShard: () => {
      gateway.asked.length = 0
      gateway.embedded.length = 0
    },
  })
  const search = [
    { vector: VECTOR },
    {
      vector: VECTOR,
      k: 5,
      nprobe: 2,
      threshold: 0.1,
      filter: FILTER,
      dedupe: 'text',
      explain: true,
      partial: 'fail',
    },
    { vectors: [VECTOR, VECTOR], k: 3, filter: { year: 2003 }, partial: 'partial' },
    { query: 'how are things?', k: 2, explain: false },
    { queries: ['one', 'two', 'one'], dedupe: 'text', threshold: -1 },
  ]
  const seeds: Seed[] = [
    { url: '/v1/search', contentType: JSON_TYPE, bodies: search },
    { url: '/input', contentType: JSON_TYPE, bodies: [{ query: 'how are things?' }] },
  ]
  return { name: 'gateway', app: gateway.app, seeds, deliberate: [] }
}

/** The routes of an index service of cluster 0 of a generation with 8 dimensions on the disk. */
export async function makeIndexTarget(dataDirectory: string, manifest: Manifest): Promise<FuzzTarget> {
  const settings = parseSettings('index', { GENERATIONS: '' })
  const { app } = createService(settings, () => undefined, { readiness: () => READY, status: () => ({}) })
  const shard = { dataDirectory, cluster: 0, manifests: [manifest] }
  const searcher = createSearcher(startSearchThreads(1))
  await searcher.open({ ...shard, isExact: false })
  addIndexRoutes(app, { ...shard, searcher, filters: createFilters({ ...shard, limit: 1 << 20 }) })
  const { generation } = manifest
  const rows = Buffer.from(Float32Array.from([...VECTOR, ...VECTOR]).buffer)
  const filter = encodeURIComponent(JSON.stringify(FILTER))
  const address = `/v1/search?generation=${generation}&k=3&threshold=0.1&deadlineMs=5000`
  const seeds: Seed[] = [
    {
      url: '/v1/search',
      contentType: JSON_TYPE,
      bodies: [
        { generation, vectors: [VECTOR] },
        { generation, vectors: [VECTOR, VECTOR], k: 3, threshold: 0.1, filter: FILTER, deadlineMs: 5000 },
      ],
    },
    { url: address, contentType: 'application/octet-stream', bodies: [rows] },
    { url: `${address}&filter=${filter}`, contentType: 'application/octet-stream', bodies: [rows] },
    { url: '/get_best_from_k', contentType: JSON_TYPE, bodies: [{ emb: VECTOR }] },
  ]
  return { name: 'index', app, seeds, deliberate: ['overloaded', 'deadline'] }
}
