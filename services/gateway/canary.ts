import { orderClusters } from '../../lib/domain/clusters.ts'
import { GOLDEN_K, type GoldenHit, type GoldenQuery } from '../../lib/domain/golden.ts'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { innerProduct, scoreOf } from '../../lib/domain/similarity.ts'
import type { Catalog } from './catalog.ts'
import type { Search } from './search.ts'
import type { Waiting } from './shard-round.ts'

export type CanaryLimits = { readonly recall: number; readonly golden: number; readonly model: number }

/** What canary queries measured on the real path; each value is a share, or a mean cosine for the model. */
export type Measures = Readonly<
  Record<keyof CanaryLimits, { readonly measured: number; readonly limit: number }>
>

type Parts = {
  readonly catalog: Catalog
  readonly search: Search
  /** How long one query may take. */
  readonly timeoutMs: number
}

const MOST_QUERIES = 50
const MOST_AT_ONCE = 4
const SCORE_TOLERANCE = 1e-4
/** The few queries may be harder than the many that the recall gate judged: by so much at most. */
const SAMPLE_SLACK = 0.1

/** Asks golden queries as clients would ask them. Raises what a search raises. */
export async function measureCanary(parts: Parts, limits: CanaryLimits): Promise<Measures> {
  const { golden, manifest, centroids } = parts.catalog
  const queries = golden.queries.slice(0, MOST_QUERIES)
  const pairs = golden.pairs.slice(0, MOST_QUERIES)
  const reachable = queries.map((query) => measureReachable(query, manifest, centroids))
  const recallLimit = Math.min(limits.recall, Math.max(mean(reachable), limits.recall - SAMPLE_SLACK))
  const recalls = await mapSome(queries, (query) => measureRecall(query, parts))
  const texts = queries.filter((query) => query.text !== undefined)
  const cosines = await mapSome(texts, (query) => measureCosine(query, parts))
  const met = await mapSome(pairs, (pair) => measurePair(pair, parts))
  return {
    recall: { measured: mean(recalls), limit: recallLimit },
    model: { measured: mean(cosines), limit: limits.model },
    golden: { measured: mean(met), limit: limits.golden },
  }
}

/** The first measure below its limit, in words; undefined when all pass. NaN never passes. */
export function findCanaryProblem(measures: Measures): string | undefined {
  const names = Object.keys(measures) as (keyof Measures)[]
  const failed = names.filter((name) => !(measures[name].measured >= measures[name].limit))
  const words = failed.map(
    (name) => `${name} is ${round(measures[name].measured)}, limit >= ${round(measures[name].limit)}`,
  )
  return words.length === 0 ? undefined : words.join('; ')
}

async function measureRecall(query: GoldenQuery, { catalog, search, timeoutMs }: Parts): Promise<number> {
  const { nprobe } = catalog.manifest.routing
  const k = query.hits.length + 1
  const vectors = [Float32Array.from(query.vector)]
  const { results } = await search.find(vectors, { k, nprobe, partial: 'fail' }, waitFor(timeoutMs))
  return shareFound(query, results[0]!.hits)
}

/** The share of the exact neighbours, the query's own item left out, whose scores are reached. */
function shareFound(
  { id, hits }: GoldenQuery,
  found: readonly { readonly id: string; readonly score: number }[],
): number {
  const wanted = hits.filter((hit) => hit.id !== id)
  const last = wanted[wanted.length - 1]
  if (!last) return 1
  const reached = found.filter((hit) => hit.id !== id && hit.score >= last.score - SCORE_TOLERANCE)
  return Math.min(wanted.length, reached.length) / wanted.length
}

/** The share that would be found if every asked shard answered rightly. */
function measureReachable(query: GoldenQuery, manifest: Manifest, centroids: Float32Array): number {
  const rows = orderClusters(query.vector, centroids, manifest.model.metric).slice(0, manifest.routing.nprobe)
  const asked = new Set(rows.map((row) => manifest.clusters[row]!.id))
  return shareFound(
    query,
    query.hits.filter((hit: GoldenHit) => asked.has(hit.cluster)),
  )
}

async function measureCosine({ vector, text }: GoldenQuery, { search, timeoutMs }: Parts): Promise<number> {
  const [fresh = []] = await search.embed([text!], waitFor(timeoutMs))
  const product = innerProduct(vector, fresh)
  return scoreOf('cosine', {
    product,
    squaredA: innerProduct(vector, vector),
    squaredB: innerProduct(fresh, fresh),
  })
}

async function measurePair(
  pair: { query: string; id: string },
  { catalog, search, timeoutMs }: Parts,
): Promise<number> {
  const { nprobe } = catalog.manifest.routing
  const waiting = waitFor(timeoutMs)
  const vectors = await search.embed([pair.query], waiting)
  const { results } = await search.find(vectors, { k: GOLDEN_K, nprobe, partial: 'fail' }, waiting)
  return results[0]!.hits.some((hit) => hit.id === pair.id) ? 1 : 0
}

function waitFor(timeoutMs: number): Waiting {
  return { signal: AbortSignal.timeout(timeoutMs), deadline: performance.now() + timeoutMs }
}

async function mapSome<T>(list: readonly T[], measure: (entry: T) => Promise<number>): Promise<number[]> {
  const results: number[] = []
  const next = list.entries()
  const work = async () => {
    for (const [index, entry] of next) results[index] = await measure(entry)
  }
  await Promise.all(Array.from({ length: MOST_AT_ONCE }, work))
  return results
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 1 : values.reduce((sum, value) => sum + value, 0) / values.length
}

function round(value: number): number {
  return Math.round(value * 1e4) / 1e4
}
