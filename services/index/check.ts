import type { GoldenHit } from '../../lib/domain/golden.ts'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { isFoundAgain, NEIGHBOURS_KEPT } from '../../lib/domain/recall.ts'
import type { Searcher } from './searcher.ts'

/** Whether a shard answers the golden queries of its generation as they were answered when it was split. */
export type CheckResult = {
  readonly queries: number
  /** Share of the stored neighbours that were found again with their scores. */
  readonly recall: number
  readonly passed: boolean
  readonly problem?: string
}

/** Asks the golden queries one after the other, so that the requests of clients get their turn in between. */
export async function checkShard(
  searcher: Searcher,
  manifest: Manifest,
  cluster: number,
  signal: AbortSignal,
): Promise<CheckResult> {
  const { dimensions } = manifest.model
  const { vectors, stored } = await searcher.readGolden(manifest.generation)
  let [wanted, found] = [0, 0]
  let problem: string | undefined
  for (const [index, hits] of stored.entries()) {
    if (hits.length === 0) continue
    const vector = vectors.slice(index * dimensions, (index + 1) * dimensions)
    const request = {
      generation: manifest.generation,
      vectors: vector,
      queries: 1,
      k: NEIGHBOURS_KEPT,
      signal,
    }
    const answer = parseHits(await searcher.search(request), cluster)
    const lost = hits.filter((hit) => !isFoundAgain([hit], answer))
    wanted += hits.length
    found += hits.length - lost.length
    problem ??= lost[0] && describeLoss(index, lost[0], answer)
  }
  const recall = wanted === 0 ? 1 : found / wanted
  return {
    queries: stored.length,
    recall,
    passed: found === wanted,
    ...(problem !== undefined && { problem }),
  }
}

function parseHits(answer: Uint8Array, cluster: number): GoldenHit[] {
  const [hits] = JSON.parse(Buffer.from(answer).toString('utf8')) as { id: string; score: number }[][]
  return hits!.map(({ id, score }) => ({ id, score, cluster }))
}

function describeLoss(query: number, { id, score }: GoldenHit, answer: readonly GoldenHit[]): string {
  const other = answer.find((hit) => hit.id === id)
  const what = other ? `has the score ${other.score}` : 'is not found'
  return `golden query ${query}: ${id} ${what}, expected the score ${score}`
}
