import { createMeanBuilder, isFiniteRow } from '../domain/clusters.ts'
import { LongshoreError } from '../domain/errors.ts'
import { createRandom } from '../domain/random.ts'
import type { GivenClusters, Input, Reject, RowBatch } from '../ports/input.ts'
import type { Context } from './context.ts'
import { embedTexts } from './split-embedding.ts'
import { listItems } from './split-items.ts'

/** The clusters of a generation: those that the input brings, repaired where it is asked for, or trained ones. */
export async function findClusters(
  context: Context,
  input: Input,
  repair: string | undefined,
): Promise<GivenClusters> {
  if (repair !== undefined && repair !== 'centroids') {
    throw new LongshoreError('usage', `--repair ${repair}: expected centroids`)
  }
  if (!input.clusters && repair) {
    throw new LongshoreError('usage', '--repair centroids needs an input that comes with clusters', {
      hint: 'leave --repair out: clusters are made by training then',
    })
  }
  if (!input.clusters) return trainClusters(context, input)
  return repair ? repairCentroids(context, input, input.clusters) : input.clusters
}

async function repairCentroids(
  context: Context,
  input: Input,
  { ids, centroids }: GivenClusters,
): Promise<GivenClusters> {
  const builder = createMeanBuilder(ids.length, centroids.length / ids.length)
  for await (const { vectors, clusters } of readRows(context, input, 'repair')) {
    if (vectors && clusters) builder.add(vectors, clusters)
  }
  return { ids, centroids: builder.means(centroids) }
}

async function trainClusters(context: Context, input: Input): Promise<GivenClusters> {
  const { model, split } = context.profile
  const { sample, reject } = await sampleRows(context, input)
  const rows = sample.length / model.dimensions
  if (rows === 0) throw describeNoRows(input, reject)
  if (rows < split.clusters) {
    throw new LongshoreError('usage', `${split.clusters} clusters cannot be made of ${rows} rows`, {
      hint: 'set split.clusters in the profile to less',
    })
  }
  const { clusters, seed } = split
  const centroids = await context.writer.train(sample, { clusters, seed, model }, context.signal)
  return { ids: Array.from({ length: clusters }, (_, id) => id), centroids }
}

function describeNoRows({ files }: Input, reject: Reject | undefined): LongshoreError {
  const paths = files.map(({ path }) => path).join(', ')
  const first = reject ? `; the first: ${reject.reason}` : ''
  return new LongshoreError('corrupt', `${paths}: no row can become an item${first}`, {
    hint: 'docs/formats.md shows what each format of input holds',
  })
}

type Sample = { readonly sample: Float32Array; readonly reject: Reject | undefined }

/**
 * Rows chosen at random, every one with the same chance, in one pass over the input: Vitter's algorithm R; and the first
 * row that is none.
 */
async function sampleRows(context: Context, input: Input): Promise<Sample> {
  const { model, split } = context.profile
  const random = createRandom(split.seed)
  const chosen: (Float32Array | string)[] = []
  let seen = 0
  let reject: Reject | undefined
  for await (const batch of readRows(context, input, 'sample')) {
    reject ??= batch.rejects[0]
    for (let index = 0; index < batch.items.length; index++) {
      const place = seen < split.trainingRows ? seen : Math.floor(random() * (seen + 1))
      const row = place < split.trainingRows ? readRow(batch, index, model.dimensions) : null
      if (row !== null) chosen[place] = row
      if (row !== null || place >= split.trainingRows) seen++
    }
  }
  const texts = chosen.filter((row) => typeof row === 'string')
  if (texts.length > 0) return { sample: await embedTexts(texts, context.embedder, context.signal), reject }
  const sample = new Float32Array(chosen.length * model.dimensions)
  for (const [index, row] of chosen.entries()) sample.set(row as Float32Array, index * model.dimensions)
  return { sample, reject }
}

/** A row that training can use: its embedding, or the text that will get one. */
function readRow(
  { items, vectors }: RowBatch,
  index: number,
  dimensions: number,
): Float32Array | string | null {
  if (!vectors) return listItems(items)[index]!.text || null
  const row = vectors.slice(index * dimensions, (index + 1) * dimensions)
  return isFiniteRow(row) ? row : null
}

async function* readRows({ reporter, signal }: Context, input: Input, task: string) {
  let done = 0
  for await (const batch of input.read(signal)) {
    signal.throwIfAborted()
    yield batch
    done += batch.items.length + batch.rejects.length
    reporter.progress({ task, done, total: input.rows, unit: 'rows' })
  }
}
