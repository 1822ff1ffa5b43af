import { LongshoreError } from '../domain/errors.ts'
import { type GenerationRef, nextGenerationName, parseGenerationNumber } from '../domain/generation.ts'
import {
  computeContentDigest,
  computeDigest,
  countBytes,
  countItems,
  type Manifest,
  refOf,
} from '../domain/manifest.ts'
import { findQuarantine } from '../domain/record-rules.ts'
import type { Answer, Context } from './context.ts'
import { followBytes } from './follow-bytes.ts'
import { readManifests } from './read-manifests.ts'
import { update } from './update.ts'

export type CarryRequest = {
  /** The newest one by default. */
  readonly generation: string | undefined
  /** The profile of the other fleet. */
  readonly fleet: string | undefined
  /** Its name there; the next free one by default. */
  readonly as: string | undefined
  /** Who it belongs to there; whoever it belonged to by default. */
  readonly owner: string | undefined
}

/** What a fleet knows a generation by, besides its contents. */
type Identity = {
  readonly generation: string
  readonly owner: string | undefined
  readonly parent: GenerationRef | null
}

/**
 * Carries a generation to another fleet under another name and owner, and has it served there: copy, rewrite identity, gate,
 * update. This fleet stays as it is. Raises `quarantined` for one that failed here, `usage` where the name is taken there, and
 * what an update raises.
 */
export async function carryGeneration(context: Context, request: CarryRequest): Promise<Answer> {
  const { generation, fleet } = request
  if (fleet === undefined)
    throw new LongshoreError('usage', '--fleet FILE is missing: the profile of the other fleet')
  const manifest = await readSound(context, generation)
  const other = await context.openFleet(fleet)
  try {
    return await carryTo(context, other.context, { ...request, manifest })
  } finally {
    await other.close()
  }
}

async function carryTo(
  from: Context,
  to: Context,
  { manifest, as, owner }: CarryRequest & { readonly manifest: Manifest },
): Promise<Answer> {
  const wanted = await rewrite(to, manifest, { as, owner: owner ?? manifest.owner })
  const { generation, digest } = wanted.manifest
  const words = `${manifest.generation} of ${from.profile.name} as ${generation} of ${to.profile.name}`
  const facts = {
    carried: refOf(manifest),
    owner: wanted.manifest.owner ?? null,
    bytes: countBytes(manifest),
  }
  if (to.dryRun && !wanted.isThere) {
    const text = `would carry ${words}: ${countItems(manifest)} items, ${facts.bytes} bytes\n${digest}`
    return { outcome: 'done', text, json: { ...facts, generation, digest } }
  }
  if (!wanted.isThere) {
    const source = from.generations.locate(manifest.generation)
    await to.writer.adopt(wanted.manifest, source, followBytes(to, `carry ${manifest.generation}`))
  }
  const moved = await update(to, { generation })
  const isNew = !wanted.isThere || moved.outcome === 'done'
  const text = `${words}, ${wanted.isThere ? 'which is there already' : `${countItems(manifest)} items`}\n${moved.text}`
  return { ...moved, outcome: isNew ? 'done' : 'nothing-to-do', text, json: { ...moved.json, ...facts } }
}

/** Raises `not-found`, `corrupt`, and `quarantined` for a generation that failed here. */
async function readSound({ generations, state }: Context, name: string | undefined): Promise<Manifest> {
  const chosen = name ?? (await generations.list()).at(-1)
  if (chosen === undefined) throw new LongshoreError('not-found', 'there is no generation to carry')
  const manifest = await generations.read(chosen)
  const bad = findQuarantine(await state.read(), refOf(manifest), computeContentDigest(manifest))
  if (!bad) return manifest
  throw new LongshoreError('quarantined', `${chosen} is quarantined since ${bad.at}: ${bad.reason}`, {
    hint: 'name another generation; what failed here would fail there',
  })
}

/** The generation as the other fleet will know it, or knows it already. Raises `usage` where its name means another one. */
async function rewrite(
  context: Context,
  manifest: Manifest,
  { as, owner }: Pick<CarryRequest, 'as' | 'owner'>,
): Promise<{ readonly manifest: Manifest; readonly isThere: boolean }> {
  if (as !== undefined) parseGenerationNumber(as)
  const names = await context.generations.list()
  const known: Manifest[] = []
  for await (const each of readManifests(context, names)) known.push(each)
  const same = known.find(
    ({ generation, parent, digest }) => digest === rename(manifest, { generation, parent, owner }).digest,
  )
  if (same && (as ?? same.generation) === same.generation) return { manifest: same, isThere: true }
  const next = nextGenerationName(names)
  const generation = as ?? next
  if (names.includes(generation)) {
    const message = `--as ${generation}: the other fleet has another generation of this name`
    throw new LongshoreError('usage', message, { hint: `leave --as out to make ${next}` })
  }
  const [last] = known
  return {
    manifest: rename(manifest, { generation, owner, parent: last ? refOf(last) : null }),
    isThere: false,
  }
}

/** The same contents under another identity, made of the generation that had the former one. */
function rename(manifest: Manifest, { generation, owner, parent }: Identity): Manifest {
  const { digest, owner: _former, ...contents } = manifest
  const { createdAt } = contents
  const made = { path: manifest.generation, bytes: countBytes(manifest), modifiedMs: Date.parse(createdAt) }
  const undigested = {
    ...contents,
    ...(owner !== undefined && { owner }),
    ...{ generation, parent, source: { kind: 'generation', files: [made], settings: digest } },
  }
  return { ...undigested, digest: computeDigest(undigested) }
}
