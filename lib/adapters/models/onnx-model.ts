import type { InferenceSession } from 'onnxruntime-node'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { Model } from '../../domain/model.ts'
import { type Codec, createImageCodec, createTextCodec, type Job } from './codec.ts'
import { type ChosenOutput, chooseOutput } from './output.ts'
import { pool } from './pool.ts'
import { RefusedError } from './refused.ts'
import { findModelDirectory, type ModelFiles, readModelFiles } from './repository.ts'
import { type Device, openSession } from './session.ts'

export type OnnxOptions = {
  /** The directory of the model, or a repository that holds it. */
  readonly root: string
  readonly model: Model
  readonly device: Device
  /** Threads that one run on the CPU takes. */
  readonly threads: number
  /** Contents of one run at most. */
  readonly mostItems: number
  /** The output that embeddings are made of; by default chosen by names and shapes. */
  readonly output: string | undefined
}

/** An embedding; `refused` for what the model cannot take, `failed` for what it made no embedding of. */
export type Outcome = Float32Array | { readonly refused: string } | { readonly failed: string }

export type OnnxModel = {
  readonly device: 'cpu' | 'gpu'
  /** Why the GPU is not used although it might have been. */
  readonly note: string | undefined
  /** The outcome of each job: one that fails spoils no other. */
  embed(jobs: readonly Job[]): Promise<Outcome[]>
}

/** Opens a model and embeds something once. Raises `not-found`, `usage`, and `corrupt` for a model that embeds nothing. */
export async function openOnnxModel(options: OnnxOptions): Promise<OnnxModel> {
  const files = await readModelFiles(findModelDirectory(options.root, options.model))
  const { session, device, note } = await openSession({ ...options, graph: files.graph })
  const output = chooseOutput({
    ...{ graph: files.graph, takes: files.takes, named: options.output },
    outputs: session.outputMetadata,
    pooling: files.takes === 'text' ? files.pooling : {},
    dimensions: options.model.dimensions,
  })
  const running = { session, output, options }
  const { sample, embed } = await createEmbed(files, running)
  const [first] = await embed([{ value: sample, mayCut: true }])
  if (!(first instanceof Float32Array)) {
    throw new LongshoreError('corrupt', `${files.graph}: embeds nothing: ${Object.values(first!).join()}`)
  }
  return { device, note, embed }
}

type Running = {
  readonly session: InferenceSession
  readonly output: ChosenOutput
  readonly options: OnnxOptions
}
type Embed = OnnxModel['embed']

async function createEmbed(
  files: ModelFiles,
  running: Running,
): Promise<Pick<Codec<never>, 'sample'> & { embed: Embed }> {
  if (files.takes === 'text') {
    const codec = await createTextCodec(files, running.session)
    return { sample: codec.sample, embed: (jobs) => embedJobs(codec, running, jobs) }
  }
  const codec = await createImageCodec(files, running.session)
  return { sample: codec.sample, embed: (jobs) => embedJobs(codec, running, jobs) }
}

async function embedJobs<Prepared>(
  codec: Codec<Prepared>,
  running: Running,
  jobs: readonly Job[],
): Promise<Outcome[]> {
  const outcomes: Outcome[] = jobs.map(() => ({ failed: 'it was not run' }))
  const taken: { readonly at: number; readonly prepared: Prepared }[] = []
  for (const [at, job] of jobs.entries()) {
    try {
      taken.push({ at, prepared: await codec.prepare(job) })
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error
      outcomes[at] = { refused: error.message }
    }
  }
  const { mostItems } = running.options
  for (let first = 0; first < taken.length; first += mostItems) {
    const batch = taken.slice(first, first + mostItems)
    const made = await runBatch(
      codec,
      running,
      batch.map(({ prepared }) => prepared),
    )
    for (const [index, { at }] of batch.entries()) outcomes[at] = made[index]!
  }
  return outcomes
}

/** A batch that fails is run one by one, so that what failed alone is told from what stood beside it. */
async function runBatch<Prepared>(
  codec: Codec<Prepared>,
  running: Running,
  batch: readonly Prepared[],
): Promise<Outcome[]> {
  try {
    return await runOnce(codec, running, batch)
  } catch (error) {
    if (batch.length === 1) return [{ failed: messageOf(error) }]
    const alone: Outcome[] = []
    for (const prepared of batch) alone.push(...(await runBatch(codec, running, [prepared])))
    return alone
  }
}

async function runOnce<Prepared>(
  codec: Codec<Prepared>,
  { session, output, options }: Running,
  batch: readonly Prepared[],
): Promise<Outcome[]> {
  const { [output.name]: hidden } = await session.run(codec.feed(batch), [output.name])
  const { dimensions, normalized } = options.model
  const shape = hidden?.dims ?? []
  if (!(hidden?.data instanceof Float32Array) || shape[0] !== batch.length || shape.at(-1) !== dimensions) {
    throw new Error(`${output.name} came as [${shape}], expected [${batch.length}, ${dimensions}]`)
  }
  const rows = pool(
    { values: hidden.data, shape },
    { pooling: output.pooling, lengths: codec.countTokens(batch), isNormalized: normalized },
  )
  return batch.map((_, row) => {
    const embedding = rows.slice(row * dimensions, (row + 1) * dimensions)
    return embedding.every(Number.isFinite)
      ? embedding
      : { refused: 'what the model made of it is not finite' }
  })
}
