import type { Device } from '../config/extraction-schema.ts'
import type { DeclaredModel } from '../config/models.ts'
import { isGenerationName } from '../domain/generation.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { MovedThreshold } from '../domain/score-threshold.ts'
import type { Ledger } from '../ports/ledger.ts'
import type { Answer, Context } from './context.ts'
import { findDeclaredModel } from './declared-models.ts'
import { embedContents } from './embed-contents.ts'
import type { EmbedCounts } from './embed-contents-counts.ts'
import { findMissing, type Gallery, joinLedger, type Tally } from './gallery.ts'
import { findDeclaredThreshold, moveThresholdOf } from './move-threshold.ts'
import { findNewestUnderOther, openGallery } from './reembed-gallery.ts'
import { describeTally, describeWork } from './reembed-words.ts'
import { type PairedSample, samplePairs } from './sample-pairs.ts'
import { splitInput } from './split.ts'

export type ReembedRequest = {
  /** The gallery: a generation's name, or the path of a file or a directory; the newest generation under another model by default. */
  readonly from?: string | undefined
  /** `NAME` or `NAME@VERSION` of a model that the profile declares. */
  readonly model: string | undefined
  readonly device: Device
  /** The generation to make; the number after the newest by default. */
  readonly generation?: string | undefined
  /** The directory that the files of items lie in. */
  readonly files?: string | undefined
  /** Whether contents that the model refused before are tried again. */
  readonly retryDead?: boolean | undefined
}

/** What a generation was made of, and what it and the former one are held against each other by. */
export type Evidence = {
  readonly before: Manifest
  readonly after: Manifest
  readonly sample: PairedSample
  readonly tally: Readonly<Tally>
  readonly counts: Readonly<EmbedCounts>
  /** Left out where the former generation has none, or the profile declares one for the other model. */
  readonly threshold?: MovedThreshold | undefined
}

/** The evidence is left out of a dry run, and where the gallery is no generation under another model. */
export type Remade = { readonly answer: Answer; readonly evidence?: Evidence }

/**
 * Makes a generation of a gallery under another model: what the ledger does not hold yet is embedded and added to it, then
 * the gallery is split with what the ledger holds. Raises what `split` does.
 */
export async function remake(context: Context, request: ReembedRequest): Promise<Remade> {
  const { profile, generations } = context
  const declared = findDeclaredModel(profile, request.model)
  const { model } = declared
  const from = request.from ?? (await findNewestUnderOther(generations, model)).generation
  const gallery = await openGallery(context, { from, files: request.files })
  const ledger = await context.ledgers.open(model)
  try {
    if (request.retryDead) await ledger.exhume()
    const tally: Tally = { items: 0, embedded: 0, dead: 0, repeated: 0, lacking: 0 }
    const embedding = { declared, gallery, ledger, tally }
    if (context.dryRun) return { answer: await tellDryRun(context, embedding) }
    const counts = await embedMissing(context, embedding, request.device)
    const compared = await compareWithFormer(context, embedding, from)
    const made = await splitInput(
      await underModel(context, declared, compared?.threshold),
      joinLedger(gallery, ledger, model.dimensions),
      { generation: request.generation },
    )
    const answer = {
      ...made,
      text: `${model.name}: ${describeTally(tally)}; ${describeWork(counts)}\n${made.text}`,
      json: { ...made.json, model: model.name, embedding: { ...tally, ...counts } },
    }
    if (!compared) return { answer }
    const after = await generations.read(String(made.json.generation))
    return { answer, evidence: { ...compared, after, tally, counts } }
  } finally {
    await ledger.close()
  }
}

type Embedding = {
  readonly declared: DeclaredModel
  readonly gallery: Gallery
  readonly ledger: Ledger
  readonly tally: Tally
}

async function embedMissing(
  context: Context,
  { declared, gallery, ledger, tally }: Embedding,
  device: Device,
): Promise<EmbedCounts> {
  const { reporter, signal } = context
  const server = await context.openServer(declared, device)
  const task = `embed under ${declared.model.name}`
  try {
    return await embedContents({
      source: findMissing(gallery, ledger, { tally, signal }),
      ...{ server, ledger, signal, extraction: declared.extraction },
      onProgress: () =>
        reporter.progress({ task, done: tally.items, total: gallery.input.rows, unit: 'rows' }),
    })
  } finally {
    await server.close()
  }
}

/** Items under both models, and the threshold that follows from them; undefined where there is nothing to compare with. */
async function compareWithFormer(
  { generations, profile, signal }: Context,
  { declared: { model }, gallery, ledger, tally }: Embedding,
  from: string,
): Promise<Pick<Evidence, 'before' | 'sample' | 'threshold'> | undefined> {
  if (!isGenerationName(from)) return undefined
  const before = await generations.read(from)
  if (before.model.fingerprint === model.fingerprint) return undefined
  const sample = await samplePairs(gallery, ledger, {
    items: tally.items,
    dimensions: model.dimensions,
    signal,
  })
  return { before, sample, threshold: moveThresholdOf(profile, { before, model, sample }) }
}

/** The context in which a model, with its threshold, is that of the profile. */
async function underModel(
  context: Context,
  declared: DeclaredModel,
  moved: MovedThreshold | undefined,
): Promise<Context> {
  const { model, extraction } = declared
  const threshold = moved?.after.score ?? findDeclaredThreshold(context.profile, model)
  const split = { ...context.profile.split, threshold }
  return {
    ...context,
    profile: { ...context.profile, model, extraction, split },
    embedder: await context.embedderOf(declared),
  }
}

/** What a run would have to do, by what the ledger lacks. */
async function tellDryRun(
  { signal }: Context,
  { declared, gallery, ledger, tally }: Embedding,
): Promise<Answer> {
  let missing = 0
  for await (const _content of findMissing(gallery, ledger, { tally, signal })) missing++
  const text = `${missing} of ${tally.items} contents are to be embedded under ${declared.model.name}; ${describeTally(tally)}`
  return { outcome: 'done', text, json: { model: declared.model.name, embedding: { ...tally, missing } } }
}
