import { digestOf } from '../domain/canonical-json.ts'
import { LongshoreError } from '../domain/errors.ts'
import { compareGenerations, nextGenerationName, parseGenerationNumber } from '../domain/generation.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { Model } from '../domain/model.ts'
import type { SearchSetting } from '../domain/shard-search.ts'
import type { ExpectedPair, Input } from '../ports/input.ts'
import type { Context } from './context.ts'
import { readManifests } from './read-manifests.ts'
import type { SplitRequest } from './split.ts'

/** Grows when the same input and profile would give another result, so that they are split again. */
const PROCEDURE = 1

export type SplitPlan = {
  readonly generation: string
  /** What was already made of the same input with the same settings. */
  readonly existing: Manifest | null
  /** The newest generation before this one. */
  readonly parent: Manifest | null
  readonly pairs: readonly ExpectedPair[]
  readonly source: Manifest['source']
  /** That of the profile, or of the generation before under the same model. */
  readonly threshold: number | undefined
  readonly expectedBytes: number
}

/** What a split is to make. Raises `usage` for a generation that is something else already, or wrong dimensions. */
export async function planSplit(context: Context, input: Input, request: SplitRequest): Promise<SplitPlan> {
  const { profile, generations } = context
  checkDimensions(input, profile.model.dimensions)
  const names = await generations.list()
  const pairs = profile.split.goldenPairs ? await context.inputs.readPairs(profile.split.goldenPairs) : []
  const generation = request.generation ?? nextGenerationName(names)
  parseGenerationNumber(generation)
  const older = names.filter((name) => compareGenerations(name, generation) < 0)
  const parent = await readNewest(context, older)
  const source = describeSource(context, input, pairs, request)
  const plan = {
    generation,
    existing: null,
    parent,
    pairs,
    source,
    threshold: profile.split.threshold ?? inheritThreshold(parent, profile.model),
    expectedBytes: estimateBytes(input, profile.split),
  }
  if (!names.includes(generation)) {
    if (request.generation !== undefined) return plan
    const former = await findFormer(context, parent, older)
    const isSame = former !== null && isSameSource(former.source, source)
    return isSame ? { ...plan, generation: former.generation, existing: former } : plan
  }
  const existing = await generations.read(generation)
  if (isSameSource(existing.source, source)) return { ...plan, existing }
  throw new LongshoreError(
    'usage',
    `${generation} exists and was made of another input or with other settings`,
    {
      hint: `generations are never changed: leave --generation out to make ${nextGenerationName(names)}`,
    },
  )
}

function inheritThreshold(parent: Manifest | null, { fingerprint }: Model): number | undefined {
  return parent?.model.fingerprint === fingerprint ? parent.threshold : undefined
}

export function describePlan({ generation, parent, source }: SplitPlan): string {
  const from = `${source.kind}: ${source.files
    .map(({ path }) => path)
    .slice(0, 4)
    .join(', ')}`
  return `${generation} from ${from}${parent ? `, compared with ${parent.generation}` : ''}`
}

function checkDimensions(input: Input, expected: number): void {
  if (input.dimensions === null || input.dimensions === expected) return
  throw new LongshoreError(
    'usage',
    `the embeddings of the input have ${input.dimensions} dimensions, the profile's model has ${expected}`,
    { hint: 'set model in the profile to the model that made these embeddings' },
  )
}

/** The newest generation that can be read; a bridge is another one's copy. */
async function readNewest(context: Context, names: readonly string[]): Promise<Manifest | null> {
  for await (const manifest of readManifests(context, names)) if (!manifest.bridge) return manifest
  return null
}

/** The newest generation under the model: fleets of several models have newer ones under others. */
async function findFormer(
  context: Context,
  newest: Manifest | null,
  names: readonly string[],
): Promise<Manifest | null> {
  const { fingerprint } = context.profile.model
  if (newest === null || newest.model.fingerprint === fingerprint) return newest
  for await (const manifest of readManifests(context, names)) {
    if (!manifest.bridge && manifest.model.fingerprint === fingerprint) return manifest
  }
  return null
}

function describeSource(
  { profile }: Context,
  input: Input,
  pairs: readonly ExpectedPair[],
  { repair }: SplitRequest,
): Manifest['source'] {
  const { model } = profile
  const { goldenPairs: _file, ...settings } = profile.split
  const expected = pairs.map(({ query, id }) => ({ query, id }))
  return {
    kind: input.kind,
    files: input.files,
    settings: digestOf({ procedure: PROCEDURE, model, ...settings, pairs: expected, repair: repair ?? null }),
  }
}

function isSameSource(a: Manifest['source'], b: Manifest['source']): boolean {
  return digestOf({ ...a }) === digestOf({ ...b })
}

/** Bytes that a number of a vector takes once more in the file that a kind of search needs, at most. */
const INDEX_BYTES: Record<SearchSetting, number> = { exact: 0, 'exact-i8': 1, auto: 2, hnsw: 2 }

/**
 * About the bytes that a generation of this input takes: the files themselves, or the vectors where there are more, and
 * what searching them needs.
 */
function estimateBytes(
  { files, rows, dimensions }: Input,
  { search, borderShare }: { readonly search: SearchSetting; readonly borderShare: number },
): number {
  const read = files.reduce((sum, { bytes }) => sum + bytes, 0)
  const numbers = (rows ?? 0) * (dimensions ?? 0)
  const once = Math.max(read, numbers * 4) + numbers * INDEX_BYTES[search]
  return Math.ceil(once * (1 + borderShare))
}
