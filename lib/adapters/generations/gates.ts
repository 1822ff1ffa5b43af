import { orderClusters } from '../../domain/clusters.ts'
import type { Golden } from '../../domain/golden.ts'
import { type Expectations, type Findings, isPairMet, judge } from '../../domain/judge.ts'
import { countOwn, type ShardSize } from '../../domain/manifest.ts'
import type { Model } from '../../domain/model.ts'
import type { GateResult } from '../../domain/quality.ts'
import { type FoundHit, isFoundAgain } from '../../domain/recall.ts'
import type { GateContext } from '../../ports/generation-store.ts'
import { checkModel } from './model-check.ts'
import { type Scan, scanShards } from './scan.ts'
import { openShards, type ShardReader } from './shard-reader.ts'
import type { Workers } from './workers.ts'

/** The files of a generation, finished or not yet, and the questions that are asked of them. */
export type Subject = {
  readonly directory: string
  readonly model: Model
  readonly clusters: readonly ShardSize[]
  readonly centroids: Float32Array
  /** Queries with a vector: sampled ones, then the user's own. */
  readonly vectors: readonly ArrayLike<number>[]
}

/** What the files of a generation were found to hold, and the neighbours of every query by exact search. */
export type Inspection = {
  readonly scan: Scan
  readonly found: readonly (readonly FoundHit[])[]
  /** Ids of the clusters in the order in which each query asks them. */
  readonly orders: readonly (readonly number[])[]
}

/** Reads all files once and answers all queries by exact search. Raises `corrupt`. */
export async function inspect(
  subject: Subject,
  { signal, reporter }: GateContext,
  workers: Workers,
): Promise<Inspection> {
  const { vectors, ...files } = subject
  const { directory, clusters, centroids } = files
  const { dimensions, metric } = subject.model
  const queries = new Float32Array(vectors.length * dimensions)
  for (const [index, vector] of vectors.entries()) queries.set(vector, index * dimensions)
  const total = clusters.reduce((sum, { items }) => sum + items, 0)
  const onRows = (done: number) => reporter.progress({ task: 'measure', done, total, unit: 'rows' })
  const job = { ...files, queries, onRows }
  const scan = await workers.use(signal, (threads) => scanShards(job, threads))
  const shards = openShards(directory, clusters, dimensions)
  try {
    const found = scan.matches.map((matches, query) => {
      const copies = findCopies(scan, query, clusters, shards)
      return matches.map(({ shard, row, score }): FoundHit => {
        const { id } = shards.readItem(shard, row)
        const others = copies.get(id)
        return { id, cluster: clusters[shard]!.id, score, ...(others && { copies: others }) }
      })
    })
    const orders = vectors.map((vector) =>
      orderClusters(vector, centroids, metric).map((shard) => clusters[shard]!.id),
    )
    return { scan, found, orders }
  } finally {
    shards.close()
  }
}

/**
 * The clusters of the copies among the neighbours of a query, by the copied item's id. A copy of one of its nearest items
 * is among the nearest of its own shard, because no more than these are nearer.
 */
function findCopies(
  scan: Scan,
  query: number,
  clusters: readonly ShardSize[],
  shards: ShardReader,
): Map<string, number[]> {
  const copies = new Map<string, number[]>()
  for (const [shard, cluster] of clusters.entries()) {
    if (!cluster.copies) continue
    for (const { row } of scan.matchesOf(shard)[query]!) {
      if (row < countOwn(cluster)) continue
      const { id } = shards.readItem(shard, row)
      copies.set(id, [...(copies.get(id) ?? []), cluster.id])
    }
  }
  return copies
}

/** What gates are judged by besides what the files hold. */
export type Circumstances = Pick<Findings, 'nprobe' | 'recall' | 'searches' | 'rejects' | 'parent'> & {
  readonly golden: Golden
  /** Whether the user's own pairs were asked too, after the sampled queries. */
  readonly hasPairs: boolean
}

/** Holds an inspected generation against the limits. */
export async function judgeInspection(
  subject: Subject,
  { scan, found, orders }: Inspection,
  circumstances: Circumstances,
  context: GateContext,
): Promise<GateResult[]> {
  const { golden, hasPairs, nprobe } = circumstances
  const sampled = golden.queries.length
  const askedOf = (query: number) => new Set(orders[query]!.slice(0, nprobe))
  const expectations: Expectations = {
    queries: sampled,
    foundAgain: golden.queries.filter(({ hits }, index) => isFoundAgain(hits, found[index]!)).length,
    pairs: golden.pairs.length,
    met: hasPairs
      ? golden.pairs.filter(({ id }, index) =>
          isPairMet(id, found[sampled + index]!, askedOf(sampled + index)),
        ).length
      : null,
  }
  const findings: Findings = {
    ...circumstances,
    ...scan,
    files: scan.files.length,
    bytes: scan.files.reduce((sum, { bytes }) => sum + bytes, 0),
    normalized: subject.model.normalized,
    golden: expectations,
    model: await checkModel(subject.model, golden.queries, context),
  }
  return judge(findings, context.limits)
}

/** Embeddings of the users' own queries; null where nothing can embed them. */
export async function embedPairs(
  pairs: Golden['pairs'],
  dimensions: number,
  { embedder, signal }: GateContext,
): Promise<Float32Array[] | null> {
  if (pairs.length === 0) return []
  if (!embedder) return null
  const texts = pairs.map(({ query }) => query)
  const vectors = await embedder.embed(texts, signal)
  return texts.map((_, index) => vectors.subarray(index * dimensions, (index + 1) * dimensions))
}
