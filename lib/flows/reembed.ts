import type { Device } from '../config/extraction-schema.ts'
import type { DeclaredModel } from '../config/models.ts'
import { LongshoreError } from '../domain/errors.ts'
import { isGenerationName } from '../domain/generation.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { Model } from '../domain/model.ts'
import type { Ledger } from '../ports/ledger.ts'
import type { Answer, Context } from './context.ts'
import { findDeclaredModel } from './declared-models.ts'
import { checkParity, type Parity } from './device-parity.ts'
import { embedContents } from './embed-contents.ts'
import type { EmbedCounts } from './embed-contents-counts.ts'
import { createTally, findMissing, type Gallery, joinLedger, type Tally } from './gallery.ts'
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

/**
 * Makes a generation of a gallery under another model: what the ledger does not hold yet is embedded and added to it, then
 * the gallery is split with what the ledger holds. Killed and run again, it goes on where it was. Raises what `split` does.
 */
export async function reembed(context: Context, request: ReembedRequest): Promise<Answer> {
  const declared = findDeclaredModel(context.profile, request.model)
  const from = request.from ?? (await findNewestUnderOther(context.generations, declared.model)).generation
  const gallery = await openGallery(context, { from, files: request.files })
  const ledger = await context.ledgers.open(declared.model)
  try {
    if (request.retryDead) await ledger.exhume()
    const tally = createTally()
    if (context.dryRun) return await tellDryRun(context, { declared, gallery, ledger, tally })
    const missing = { declared, gallery, ledger, tally, device: request.device }
    const { counts, parity } = await embedMissing(context, missing)
    const made = await splitInput(
      await underModel(context, declared),
      joinLedger(gallery, ledger, declared.model.dimensions),
      { generation: request.generation },
    )
    return {
      ...made,
      text: `${declared.model.name}: ${describe(tally)}; ${describeWork(counts)}\n${made.text}`,
      json: {
        ...made.json,
        model: declared.model.name,
        embedding: { ...tally, ...counts, ...(parity && { parity }) },
      },
    }
  } finally {
    await ledger.close()
  }
}

/** The gallery that an operator names. Raises `not-found`. */
export async function openGallery(
  { generations, inputs, itemFiles }: Pick<Context, 'generations' | 'inputs' | 'itemFiles'>,
  { from, files }: { readonly from: string } & Pick<ReembedRequest, 'files'>,
): Promise<Gallery> {
  const path = isGenerationName(from) ? generations.locate((await generations.read(from)).generation) : from
  const input = await inputs.open(path, { dimensions: 0 })
  return { input, files: itemFiles, root: files ?? input.root }
}

/** The newest generation under another model: what was made under this one is no reason to make it again. Raises `not-found`. */
export async function findNewestUnderOther(
  generations: Context['generations'],
  { fingerprint, name }: Model,
): Promise<Manifest> {
  for (const each of (await generations.list()).reverse()) {
    const manifest = await generations.read(each)
    if (manifest.model.fingerprint !== fingerprint) return manifest
  }
  throw new LongshoreError('not-found', `there is no generation under another model than ${name}`, {
    hint: 'reembed.mjs --from takes a generation, a file or a directory of items',
  })
}

/** The context in which a model is that of the profile. */
export async function underModel(context: Context, declared: DeclaredModel): Promise<Context> {
  const { model, extraction } = declared
  return {
    ...context,
    profile: { ...context.profile, model, extraction },
    embedder: await context.embedderOf(declared),
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
  { declared, gallery, ledger, tally, device }: Embedding & Pick<ReembedRequest, 'device'>,
): Promise<{ readonly counts: EmbedCounts; readonly parity?: Parity }> {
  const { reporter, signal } = context
  const source = findMissing(gallery, ledger, { tally: createTally(), signal })
  const parity = await checkParity(context, { declared, device, source })
  const server = await context.openServer(declared, device)
  const task = `embed under ${declared.model.name}`
  try {
    const counts = await embedContents({
      source: findMissing(gallery, ledger, { tally, signal }),
      ...{ server, ledger, signal, extraction: declared.extraction },
      onProgress: () =>
        reporter.progress({ task, done: tally.items, total: gallery.input.rows, unit: 'rows' }),
    })
    return { counts, ...(parity && { parity }) }
  } finally {
    await server.close()
  }
}

/** What a run would have to do, by what the ledger lacks. */
async function tellDryRun(
  { signal }: Context,
  { declared, gallery, ledger, tally }: Embedding,
): Promise<Answer> {
  let missing = 0
  for await (const _content of findMissing(gallery, ledger, { tally, signal })) missing++
  const text = `${missing} of ${tally.items} contents are to be embedded under ${declared.model.name}; ${describe(tally)}`
  return { outcome: 'done', text, json: { model: declared.model.name, embedding: { ...tally, missing } } }
}

function describe({ items, embedded, repeated, dead, lacking }: Tally): string {
  const parts = [
    `${items} items`,
    `${embedded} were known`,
    ...(repeated > 0 ? [`${repeated} repeat another`] : []),
    ...(dead > 0 ? [`${dead} were refused by the model before (--retry-dead tries them again)`] : []),
    ...(lacking > 0 ? [`${lacking} have nothing to embed`] : []),
  ]
  return parts.join(', ')
}

function describeWork({ calls, items, dead, tookMs }: EmbedCounts): string {
  if (calls === 0) return 'no call to the model'
  const rate = Math.round(items / Math.max(0.001, tookMs / 1000))
  return `${items} embedded by ${calls} calls, ${rate} a second${dead > 0 ? `, ${dead} refused` : ''}`
}
