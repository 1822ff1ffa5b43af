import type { Device } from '../config/extraction-schema.ts'
import type { DeclaredModel } from '../config/models.ts'
import { isGenerationName } from '../domain/generation.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { Model } from '../domain/model.ts'
import type { MovedThreshold } from '../domain/score-threshold.ts'
import type { Answer, Context } from './context.ts'
import { findDeclaredModel } from './declared-models.ts'
import { checkParity } from './device-parity.ts'
import { type Embedding, type EmbedWork, embedMissing } from './embed-missing.ts'
import { createTally, findMissing, joinLedger } from './gallery.ts'
import { findDeclaredThreshold, moveThresholdOf } from './move-threshold.ts'
import { findNewestUnderOther, openGallery } from './reembed-gallery.ts'
import { describeTally, describeWork } from './reembed-words.ts'
import { drawRows, joinSample, type PairedSample } from './sample-pairs.ts'
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
export type Evidence = EmbedWork & {
  readonly before: Manifest
  readonly after: Manifest
  readonly sample: PairedSample
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
  const { profile, generations, signal } = context
  const declared = findDeclaredModel(profile, request.model)
  const { model } = declared
  const from = request.from ?? (await findNewestUnderOther(generations, model)).generation
  const gallery = await openGallery(context, { from, files: request.files })
  const ledger = await context.ledgers.open(model)
  try {
    if (request.retryDead) await ledger.exhume()
    const tally = createTally()
    if (context.dryRun) return { answer: await tellDryRun(context, { declared, gallery, ledger, tally }) }
    const missing = findMissing(gallery, ledger, { tally: createTally(), signal })
    const parity = await checkParity(context, { declared, device: request.device, source: missing })
    const before = await findFormer(context, from, model)
    const { input, listRows } = before
      ? drawRows(gallery.input)
      : { input: gallery.input, listRows: () => [] }
    const embedding = { declared, gallery: { ...gallery, input }, ledger, tally }
    const work = await embedMissing(context, embedding, request.device)
    const { dimensions } = model
    const sample = await joinSample({ rows: listRows(), gallery }, ledger, { dimensions, signal })
    const threshold = before && moveThresholdOf(profile, { before, model, sample })
    const made = await splitInput(
      await underModel(context, declared, threshold),
      joinLedger(gallery, ledger, model.dimensions),
      { generation: request.generation },
    )
    const answer = {
      ...made,
      text: `${model.name}: ${describeTally(tally)}; ${describeWork(work.counts)}\n${made.text}`,
      json: {
        ...made.json,
        model: model.name,
        embedding: { ...tally, ...work.counts, ...(parity && { parity }) },
      },
    }
    if (!before) return { answer }
    const after = await generations.read(String(made.json.generation))
    return { answer, evidence: { ...work, before, after, sample, threshold } }
  } finally {
    await ledger.close()
  }
}

/** The generation that a gallery is; undefined where it is none, or one under the wanted model. */
async function findFormer(
  { generations }: Context,
  from: string,
  { fingerprint }: Model,
): Promise<Manifest | undefined> {
  if (!isGenerationName(from)) return undefined
  const manifest = await generations.read(from)
  return manifest.model.fingerprint === fingerprint ? undefined : manifest
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
