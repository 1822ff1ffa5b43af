import { countGoldenQueries, GOLDEN_K, type Golden, type GoldenQuery } from '../../domain/golden.ts'
import { countItems, countOwn } from '../../domain/manifest.ts'
import { chooseNprobe } from '../../domain/quality.ts'
import { createRandom, sampleNumbers } from '../../domain/random.ts'
import { measureRecall } from '../../domain/recall.ts'
import type { GateContext } from '../../ports/generation-store.ts'
import type { Measured, MeasureRequest } from '../../ports/generation-writer.ts'
import { embedPairs, inspect, judgeInspection, type Subject } from './gates.ts'
import { openShards } from './shard-reader.ts'
import { chooseSearches } from './shard-searches.ts'
import type { Workers } from './workers.ts'

type DraftFiles = Omit<Subject, 'vectors'>

/** Chooses golden queries, finds their neighbours, and from these nprobe and kinds of search; judges every gate. */
export async function measureDraft(
  draft: DraftFiles,
  request: MeasureRequest,
  context: GateContext,
  workers: Workers,
): Promise<Measured> {
  const { pairs, recallTarget, rejects, parent } = request
  const sample = sampleItems(draft, request)
  const pairVectors = await embedPairs(pairs, draft.model.dimensions, context)
  const vectors = [...sample.map(({ vector }) => vector), ...(pairVectors ?? [])]
  const subject = { ...draft, vectors }
  const inspection = await inspect(subject, context, workers)
  const { found, orders, scan } = inspection
  const curve = measureRecall(
    sample.map(({ id }, index) => ({ id, found: found[index]! })),
    orders,
  )
  const nprobe = chooseNprobe(curve, recallTarget)
  const queries = sample.map(({ text, ...query }, index) => ({
    ...query,
    // A text that several items have cannot tell which of their embeddings the model would make.
    ...(text !== undefined && scan.isUnique(text) && { text }),
    hits: found[index]!.slice(0, GOLDEN_K).map(({ copies: _, ...hit }) => hit),
  }))
  const searched = { subject, inspection, ids: sample.map(({ id }) => id) }
  const { clusters, files, searches } = await chooseSearches(searched, request, { context, workers })
  const golden: Golden = { k: GOLDEN_K, queries, pairs }
  const recall = curve[nprobe - 1]!.recall
  const circumstances = { golden, hasPairs: pairVectors !== null, nprobe, recall, searches, rejects, parent }
  const gates = await judgeInspection(subject, inspection, circumstances, context)
  const routing = { nprobe, recallTarget, measured: curve }
  return { clusters, routing, golden, files: [...scan.files, ...files], gates }
}

/** Items chosen at random over all shards, the same ones for the same rows and seed. */
function sampleItems(
  { directory, clusters, model }: DraftFiles,
  { goldenQueries, seed }: MeasureRequest,
): Omit<GoldenQuery, 'hits'>[] {
  const total = countItems({ clusters })
  const count = countGoldenQueries(goldenQueries, total, model.dimensions)
  const shards = openShards(directory, clusters, model.dimensions)
  try {
    return sampleNumbers(total, count, createRandom(seed)).map((number) => {
      const [shard, row] = locateRow(clusters, number)
      const { id, text } = shards.readItem(shard, row)
      return { id, ...(text !== undefined && { text }), vector: [...shards.readVector(shard, row)] }
    })
  } finally {
    shards.close()
  }
}

function locateRow(clusters: DraftFiles['clusters'], number: number): [shard: number, row: number] {
  let first = 0
  for (const [shard, cluster] of clusters.entries()) {
    const own = countOwn(cluster)
    if (number < first + own) return [shard, number - first]
    first += own
  }
  throw new RangeError(`there is no row ${number}`)
}
