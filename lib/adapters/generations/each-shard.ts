import { type Wanted, wantedOf } from '../../domain/shard-recall.ts'
import type { ShardKind } from '../../domain/shard-search.ts'
import { scoringOf } from '../../domain/similarity.ts'
import type { GateContext } from '../../ports/generation-store.ts'
import type { Inspection, Subject } from './gates.ts'
import type { ShardJob } from './shard-job.ts'
import type { Workers, WorkThread } from './workers.ts'

/** An inspected generation whose shards' searches are measured. */
export type Searched = {
  readonly subject: Subject
  readonly inspection: Inspection
  /** Ids of the sampled queries, which come first among the subject's vectors. */
  readonly ids: readonly string[]
}

export type Plan = {
  /** Position of the shard among the clusters. */
  readonly shard: number
  readonly kinds: readonly ShardKind[]
}

/** What a graph takes while it is built: its links, and its vectors as bfloat16. */
const BYTES_PER_NODE = 150
const BYTES_PER_NUMBER = 2
/** Graphs up to this size are built side by side. */
const LARGE_BYTES = 128 * 2 ** 20

export type Means = { readonly context: GateContext; readonly workers: Workers }

/**
 * What `work` makes of each planned shard, in the order of the plans; the largest are begun first. A large graph takes much
 * memory, so there is one of them at a time.
 */
export async function eachShard<P extends Plan, R>(
  searched: Searched,
  plans: readonly P[],
  work: (thread: WorkThread, plan: P, job: ShardJob) => Promise<R>,
  { context: { signal, reporter }, workers }: Means,
): Promise<R[]> {
  const createJob = prepareJobs(searched)
  const { clusters } = searched.subject
  const itemsOf = ({ shard }: P) => clusters[shard]!.items
  const waiting = plans.map((plan, at) => ({ plan, at })).sort((a, b) => itemsOf(b.plan) - itemsOf(a.plan))
  const total = plans.reduce((sum, plan) => sum + itemsOf(plan), 0)
  const results: R[] = []
  let done = 0
  const bytesPerRow = BYTES_PER_NODE + BYTES_PER_NUMBER * searched.subject.model.dimensions
  const isLarge = (plan: P) => plan.kinds.includes('hnsw') && itemsOf(plan) * bytesPerRow > LARGE_BYTES
  const takeNext = (mayTakeLarge: boolean) => {
    const next = waiting.findIndex(({ plan }) => mayTakeLarge || !isLarge(plan))
    return next < 0 ? undefined : waiting.splice(next, 1)[0]
  }
  const workOff = async (thread: WorkThread, place: number) => {
    for (let next = takeNext(place === 0); next; next = takeNext(place === 0)) {
      results[next.at] = await work(thread, next.plan, createJob(next.plan.shard))
      done += itemsOf(next.plan)
      reporter.progress({ task: 'index', done, total, unit: 'rows' })
    }
  }
  if (plans.length > 0) await workers.use(signal, (threads) => Promise.all(threads.map(workOff)))
  return results
}

function prepareJobs({ subject, inspection, ids }: Searched): (shard: number) => ShardJob {
  const { directory, model, clusters, vectors } = subject
  const { dimensions } = model
  const scoring = scoringOf(model)
  const queries = new Float32Array(ids.length * dimensions)
  for (const index of ids.keys()) queries.set(vectors[index]!, index * dimensions)
  return (shard) => {
    const { id: cluster, items } = clusters[shard]!
    const wanted = listWanted(inspection, ids, shard)
    return { directory, cluster, items, dimensions, scoring, queries, wanted }
  }
}

/** What each sampled query should find in a shard: what exact search found there. */
function listWanted({ scan, found }: Inspection, ids: readonly string[], shard: number): Wanted[] {
  const exact = scan.matchesOf(shard)
  return ids.map((id, query) => {
    const own = scan.matches[query]![found[query]!.findIndex((hit) => hit.id === id)]
    return wantedOf(exact[query]!, own?.shard === shard ? own.row : undefined)
  })
}
