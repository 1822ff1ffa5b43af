import { LongshoreError } from '../domain/errors.ts'
import { summarize } from '../domain/judge.ts'
import { computeDigest, countItems, MANIFEST_FORMAT, type Manifest, refOf } from '../domain/manifest.ts'
import type { GateResult } from '../domain/quality.ts'
import type { GenerationDraft, Measured } from '../ports/generation-writer.ts'
import type { Input } from '../ports/input.ts'
import type { Answer, Context } from './context.ts'
import { limitsOf } from './gates.ts'
import { findClusters } from './split-clusters.ts'
import { embedInput } from './split-embedding.ts'
import { describePlan, planSplit, type SplitPlan } from './split-plan.ts'
import { writeRows } from './split-rows.ts'

export type SplitRequest = {
  /** The generation to make; the number after the newest by default. */
  readonly generation?: string | undefined
  /** `centroids` recomputes those of an input that comes with clusters, as the means of their rows. */
  readonly repair?: string | undefined
}

/**
 * Makes a generation of an input: rows to shards, gates measured on what is on disk, manifest, rename. Raises `gate`
 * when one refuses it; then nothing stands under the generation's name.
 */
export async function split(
  context: Context,
  request: SplitRequest & { readonly path: string },
): Promise<Answer> {
  const { dimensions } = context.profile.model
  context.writer.wake()
  return await splitInput(context, await context.inputs.open(request.path, { dimensions }), request)
}

/** As `split`, for an input that is open already. */
export async function splitInput(context: Context, input: Input, request: SplitRequest): Promise<Answer> {
  const { model } = context.profile
  const plan = await planSplit(context, input, request)
  if (plan.existing) return answer(context, plan.existing, 'nothing-to-do')
  if (context.dryRun)
    return { outcome: 'done', text: describePlan(plan), json: { generation: plan.generation } }
  context.reporter.note(describePlan(plan))

  const clusters = await findClusters(context, input, request.repair)
  const draft = await context.writer.begin({
    ...plan,
    model,
    clusters,
    borderShare: context.profile.split.borderShare,
  })
  let keepRejects = false
  try {
    const rows = await writeRows(
      context,
      embedInput(input, context.embedder, model.dimensions),
      draft,
      plan.pairs,
    )
    const { measured, manifest } = await measureDraft(context, draft, plan, rows)
    context.reporter.gates(plan.generation, measured.gates)
    keepRejects = measured.gates.some(({ passed }) => !passed)
    refuseFailed(plan.generation, measured.gates)
    await draft.publish(manifest)
    return answer(context, manifest, 'done', measured.gates)
  } finally {
    await draft.discard({ keepRejects })
  }
}

async function measureDraft(
  context: Context,
  draft: GenerationDraft,
  plan: SplitPlan,
  rows: number,
): Promise<{ measured: Measured; manifest: Manifest }> {
  const { profile, embedder, reporter, signal } = context
  const sealed = await draft.seal()
  if (rows === sealed.rejects) {
    throw new LongshoreError('corrupt', `the input holds no row that can become an item (${rows} rows)`)
  }
  const { goldenQueries, recallTarget, search, searchRecall, seed } = profile.split
  const parent = plan.parent && { name: plan.parent.generation, items: countItems(plan.parent) }
  const pairs = plan.pairs.map(({ query, id }) => ({ query, id }))
  const measured = await draft.measure(
    {
      ...{ goldenQueries, recallTarget, search, searchRecall, seed, pairs, parent },
      rejects: sealed.rejects / rows,
    },
    { limits: limitsOf(profile), model: profile.model, embedder, reporter, signal },
  )
  const undigested = {
    format: MANIFEST_FORMAT,
    generation: plan.generation,
    parent: plan.parent && refOf(plan.parent),
    model: profile.model,
    clusters: measured.clusters,
    routing: measured.routing,
    ...(plan.threshold !== undefined && { threshold: plan.threshold }),
    quality: summarize(measured.gates),
    createdAt: new Date(context.now()).toISOString(),
    source: plan.source,
    files: measured.files,
  } as const
  return { measured, manifest: { ...undigested, digest: computeDigest(undigested) } }
}

function refuseFailed(generation: string, gates: readonly GateResult[]): void {
  const failed = gates.filter((gate) => !gate.passed)
  if (failed.length === 0) return
  const told = failed.map(
    ({ name, measured, limit, detail }) =>
      `${name} is ${format(measured)}, expected ${limit}${detail ? ` (${detail})` : ''}`,
  )
  throw new LongshoreError('gate', `${generation} is refused: ${told.join('; ')}`, {
    hint: hintFor(failed),
    answer: { generation, gates },
  })
}

function hintFor(failed: readonly GateResult[]): string {
  const names = new Set(failed.map(({ name }) => name))
  if (names.has('selfRouting')) return 'the centroids do not fit the shards: try --repair centroids'
  if (names.has('search')) return 'set split.search in the profile to auto, or split.searchRecall to less'
  if (names.has('rejects')) return 'see the list of rejects beside the generations'
  return 'correct the input, or the limit under gates in the profile'
}

function answer(
  context: Context,
  manifest: Manifest,
  outcome: Answer['outcome'],
  gates: readonly GateResult[] = [],
): Answer {
  const { generation, digest } = manifest
  const items = countItems(manifest)
  const path = context.generations.locate(generation)
  const made = outcome === 'done' ? 'made' : 'exists already, from the same input'
  return {
    outcome,
    text: `${generation} ${made}: ${items} items in ${manifest.clusters.length} shards, ${path}\n${digest}`,
    json: { generation, digest, path, items, gates },
  }
}

function format(value: number): string {
  return String(Number(value.toPrecision(4)))
}
