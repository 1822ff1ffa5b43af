import type { GoldenHit } from '../../lib/domain/golden.ts'
import type { Manifest, ShardEntry } from '../../lib/domain/manifest.ts'
import { isFoundAgain, NEIGHBOURS_KEPT } from '../../lib/domain/recall.ts'
import type { Found, Searcher } from './searcher.ts'

/** Whether a shard answers the golden queries of its generation as they were answered when it was split. */
export type CheckResult = {
  readonly queries: number
  /** Share of the stored neighbours that were found again with their scores. */
  readonly recall: number
  readonly passed: boolean
  readonly problem?: string
}

/** How far recall on the few neighbours that one shard holds may lie below the recall that its manifest tells. */
const RECALL_MARGIN = 0.05

/**
 * Asks the golden queries one after the other, so that the requests of clients get their turn in between. Whatever the kind
 * of search, comparing all vectors must find every stored neighbour with its score; a quantised or graph search may miss
 * as many as its measured recall lets expect.
 */
export async function checkShard(
  searcher: Searcher,
  manifest: Manifest,
  cluster: number,
  signal: AbortSignal,
): Promise<CheckResult> {
  const { dimensions } = manifest.model
  const { vectors, stored } = await searcher.readGolden(manifest.generation)
  let [wanted, missed] = [0, 0]
  let problem: string | undefined
  for (const [index, hits] of stored.entries()) {
    if (hits.length === 0) continue
    const { generation } = manifest
    const vector = vectors.slice(index * dimensions, (index + 1) * dimensions)
    const question = { generation, vectors: vector, queries: 1, k: NEIGHBOURS_KEPT, signal }
    const found = await searcher.search(question)
    const lost = findLost(hits, parseHits(found, cluster))
    wanted += hits.length
    missed += lost.length
    if (lost.length === 0 || problem !== undefined) continue
    const exact = parseHits(
      found.kind === 'exact' ? found : await searcher.search({ ...question, isExact: true }),
      cluster,
    )
    const [gone] = findLost(hits, exact)
    problem = gone && describeLoss(index, gone, exact)
  }
  const recall = wanted === 0 ? 1 : (wanted - missed) / wanted
  const entry = manifest.clusters.find(({ id }) => id === cluster)
  if (missed > countAllowed(entry, wanted)) problem ??= describeRecall(entry, recall)
  return {
    queries: stored.length,
    recall,
    passed: problem === undefined,
    ...(problem !== undefined && { problem }),
  }
}

function countAllowed(entry: ShardEntry | undefined, wanted: number): number {
  const measured = recallOf(entry)
  return measured === undefined ? 0 : Math.ceil((1 - measured + RECALL_MARGIN) * wanted)
}

function recallOf(entry: ShardEntry | undefined): number | undefined {
  return entry?.search && 'recall' in entry.search ? entry.search.recall : undefined
}

function findLost(hits: readonly GoldenHit[], answer: readonly GoldenHit[]): GoldenHit[] {
  return hits.filter((hit) => !isFoundAgain([hit], answer))
}

function parseHits({ hits }: Found, cluster: number): GoldenHit[] {
  const [list] = JSON.parse(Buffer.concat(hits).toString('utf8')) as { id: string; score: number }[][]
  return list!.map(({ id, score }) => ({ id, score, cluster }))
}

function describeLoss(query: number, { id, score }: GoldenHit, answer: readonly GoldenHit[]): string {
  const other = answer.find((hit) => hit.id === id)
  const what = other ? `has the score ${other.score}` : 'is not found'
  return `golden query ${query}: ${id} ${what}, expected the score ${score}`
}

function describeRecall(entry: ShardEntry | undefined, recall: number): string {
  const kind = entry?.search?.kind ?? 'exact'
  return `golden queries: recall ${recall.toFixed(3)} by ${kind}, measured ${recallOf(entry)} when it was split`
}
