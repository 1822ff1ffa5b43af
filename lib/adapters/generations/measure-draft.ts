import { countGoldenQueries, GOLDEN_K, type Golden, type GoldenQuery } from '../../domain/golden.ts'
import { chooseNprobe } from '../../domain/quality.ts'
import { createRandom, sampleNumbers } from '../../domain/random.ts'
import { measureRecall } from '../../domain/recall.ts'
import type { GateContext } from '../../ports/generation-store.ts'
import type { Measured, MeasureRequest } from '../../ports/generation-writer.ts'
import { embedPairs, inspect, judgeInspection, type Subject } from './gates.ts'
import { openShards } from './shard-reader.ts'
import type { Workers } from './workers.ts'

type DraftFiles = Omit<Subject, 'vectors'>

/** Chooses golden queries, finds their neighbours, and from these nprobe; judges every gate. */
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
    hits: found[index]!.slice(0, GOLDEN_K),
  }))
  const golden: Golden = { k: GOLDEN_K, queries, pairs }
  const recall = curve[nprobe - 1]!.recall
  const circumstances = { golden, hasPairs: pairVectors !== null, nprobe, recall, rejects, parent }
  const gates = await judgeInspection(subject, inspection, circumstances, context)
  return { routing: { nprobe, recallTarget, measured: curve }, golden, files: scan.files, gates }
}

/** Items chosen at random over all shards, the same ones for the same rows and seed. */
function sampleItems(
  { directory, clusters, model }: DraftFiles,
  { goldenQueries, seed }: MeasureRequest,
): Omit<GoldenQuery, 'hits'>[] {
  const total = clusters.reduce((sum, { items }) => sum + items, 0)
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
  for (const [shard, { items }] of clusters.entries()) {
    if (number < first + items) return [shard, number - first]
    first += items
  }
  throw new RangeError(`there is no row ${number}`)
}
