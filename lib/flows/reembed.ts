import type { Device } from '../config/extraction-schema.ts'
import type { DeclaredModel } from '../config/models.ts'
import { LongshoreError } from '../domain/errors.ts'
import { isGenerationName } from '../domain/generation.ts'
import { countItems } from '../domain/manifest.ts'
import type { Ledger } from '../ports/ledger.ts'
import type { Answer, Context } from './context.ts'
import { findDeclaredModel } from './declared-models.ts'
import { type EmbedCounts, embedContents } from './embed-contents.ts'
import { findMissing, type Gallery, joinLedger, type Tally } from './gallery.ts'
import { splitInput } from './split.ts'

export type ReembedRequest = {
  /** The gallery: a generation's name, or the path of a file or a directory. */
  readonly from: string
  /** `NAME` or `NAME@VERSION` of a model that the profile declares. */
  readonly model: string
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
  const gallery = await openGallery(context, request)
  const ledger = await context.ledgers.open(declared.model)
  try {
    if (request.retryDead) await ledger.exhume()
    const tally = createTally()
    if (context.dryRun) return await tellDryRun(context, { declared, gallery, ledger, tally })
    const counts = await embedMissing(context, { declared, gallery, ledger, tally, device: request.device })
    const made = await splitInput(
      await underModel(context, declared),
      joinLedger(gallery, ledger, declared.model.dimensions),
      { generation: request.generation },
    )
    return {
      ...made,
      text: `${describe(declared, tally, counts)}\n${made.text}`,
      json: { ...made.json, model: declared.model.name, embedding: { ...tally, ...counts } },
    }
  } finally {
    await ledger.close()
  }
}

/** The gallery that an operator names. Raises `not-found`. */
export async function openGallery(
  { generations, inputs, itemFiles }: Pick<Context, 'generations' | 'inputs' | 'itemFiles'>,
  { from, files }: Pick<ReembedRequest, 'from' | 'files'>,
): Promise<Gallery> {
  const path = isGenerationName(from) ? generations.locate((await generations.read(from)).generation) : from
  const input = await inputs.open(path, { dimensions: 0 })
  return { input, files: itemFiles, root: files ?? input.root }
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
