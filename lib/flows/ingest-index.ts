import type { DeclaredModel } from '../config/models.ts'
import { lastRelease } from '../domain/record-rules.ts'
import type { Answer, Context, FleetContext } from './context.ts'
import { findDeclaredModel, findModelOf } from './declared-models.ts'
import { reembed } from './reembed.ts'
import { update } from './update.ts'

export type IndexRequest = {
  /** The model of the generation; that of the one in service by default, or else that of new splits. */
  readonly model: string | undefined
  readonly fleet: FleetContext
}

/**
 * Makes a generation of the gallery and serves it; nothing where the newest of its model is of the same gallery and serves.
 * Raises what `reembed` and `update` raise.
 */
export async function indexGallery(context: Context, { model, fleet }: IndexRequest): Promise<Answer> {
  const { galleries } = context.ingestion
  const gallery = await galleries.open()
  const { items } = await gallery.summarize().finally(() => gallery.close())
  if (items === 0) {
    return { outcome: 'nothing-to-do', text: 'the gallery is empty: no generation is made of it', json: {} }
  }
  const declared =
    model === undefined ? await findServedModel(context) : findDeclaredModel(context.profile, model)
  const label = `${declared.model.name}@${declared.model.version}`
  const made = await reembed(context, { from: galleries.path, model: label, device: 'auto' })
  const served = await update(fleet, { generation: String(made.json.generation) })
  const isIdle = made.outcome === 'nothing-to-do' && served.outcome === 'nothing-to-do'
  return {
    ...served,
    outcome: isIdle ? 'nothing-to-do' : 'done',
    text: `${made.text}\n${served.text}`,
    json: { ...made.json, ...served.json, made: made.outcome === 'done' },
  }
}

async function findServedModel({ profile, state, generations }: Context): Promise<DeclaredModel> {
  const released = lastRelease(await state.read())?.generation
  const isHere = released !== undefined && (await generations.list()).includes(released.name)
  const served = isHere ? await generations.read(released.name) : undefined
  return (
    (served && findModelOf(profile, served.model)) ?? { model: profile.model, extraction: profile.extraction }
  )
}
