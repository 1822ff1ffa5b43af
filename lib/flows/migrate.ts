import { join } from 'node:path'
import { LongshoreError } from '../domain/errors.ts'
import { countGallery, describeCounts } from '../domain/gallery-counts.ts'
import { computeContentDigest, type Manifest, refOf } from '../domain/manifest.ts'
import type { Model } from '../domain/model.ts'
import type { ReportPaths } from '../ports/reports.ts'
import { backup } from './backup.ts'
import { compareGenerations, type Question } from './compare.ts'
import { readQuestions } from './compare-questions.ts'
import type { Answer, Context } from './context.ts'
import { findDeclaredModel, labelOf } from './declared-models.ts'
import { serveByBridge } from './migrate-bridge.ts'
import { estimateMigration } from './migrate-estimate.ts'
import { describeComparison, judgeLoss, judgeThreshold } from './migrate-gate.ts'
import { describeReport, writeReport } from './migration-report.ts'
import { quarantine } from './quarantine.ts'
import { findNewestUnderOther } from './reembed-gallery.ts'
import { type Evidence, type ReembedRequest, remake } from './remake.ts'
import { holdLock } from './session.ts'
import { update } from './update.ts'
import { verify } from './verify.ts'

export type MigrateRequest = Pick<ReembedRequest, 'model' | 'device' | 'files' | 'retryDead'> & {
  /** The generation to move; the newest one under another model by default. */
  readonly from?: string | undefined
  /** The directory that it is backed up to; `backups` in the profile's state by default, none for `false`. */
  readonly backup?: string | false | undefined
  readonly qrels?: string | undefined
  readonly queries?: string | undefined
  /** Whether queries of the other model search the former generation meanwhile. */
  readonly bridge?: boolean | undefined
  /** Only tells what it would take. */
  readonly estimate?: boolean | undefined
}

/**
 * Moves a fleet to another model: backup, re-embed, gate between the models, update, verify. What is done already is passed
 * over, so that the same command goes on after any failure. Raises what its parts raise, and `gate` where the other model
 * finds less; then its generation is quarantined.
 */
export async function migrate(context: Context, request: MigrateRequest): Promise<Answer> {
  const declared = findDeclaredModel(context.profile, request.model)
  const { model } = declared
  const questions = await readQuestions(context, request)
  const before = await findFormer(context, model, request.from)
  if (request.estimate) return await estimateMigration(context, { ...request, before })
  const kept = context.dryRun ? undefined : await keep(context, before, request)
  const bridge =
    request.bridge && !context.dryRun
      ? await serveByBridge(context, { ...request, before, declared })
      : undefined
  const { answer: made, evidence } = await remake(context, { ...request, from: before.generation })
  if (!evidence) return made
  const found = await compare(context, evidence, questions)
  const { after } = evidence
  const facts = {
    ...found,
    ...(kept && { backup: kept.json }),
    ...(bridge && { bridge: describeBridge(bridge) }),
  }
  if (!found.gate.passed) throw await refuse(context, after, facts)
  const moved = await update(context, { generation: after.generation })
  const verified = await verify(context, { generation: after.generation })
  const counts = { before: countGallery(before), after: countGallery(after) }
  return {
    outcome: [made, moved].every(({ outcome }) => outcome === 'nothing-to-do') ? 'nothing-to-do' : 'done',
    text: [
      ...[kept?.text, made.text, describeComparison(found.comparison)],
      ...[bridge && tellBridge(bridge), moved.text, verified.text],
      ...[describeCounts(counts.before, counts.after), describeReport(found.report)],
    ]
      .filter(Boolean)
      .join('\n'),
    json: { ...made.json, ...moved.json, ...facts, ...counts, embedding: made.json.embedding },
  }
}

function tellBridge({ generation, bridge }: Manifest): string {
  const { model, keptRecall } = bridge!
  return `${generation} answered queries of ${labelOf(model)} meanwhile, with ${keptRecall.toFixed(3)} of recall@10`
}

/** What answered queries of the other model meanwhile. */
function describeBridge({ generation, digest, bridge }: Manifest) {
  const { kind, pairs, heldOut, keptRecall } = bridge!
  return { generation, digest, kind, pairs, heldOut, keptRecall }
}

/** Holds the two generations against each other, shows what was found, and writes the report of it. */
async function compare(context: Context, evidence: Evidence, questions: readonly Question[]) {
  const { before, after, threshold } = evidence
  const comparison = await compareGenerations(context, { before, after, questions, threshold })
  const gate = judgeLoss(comparison, context.profile.gates.modelLoss)
  const gates = [gate, ...(threshold ? [judgeThreshold(threshold, comparison.kept)] : [])]
  context.reporter.gates(`${after.generation} against ${before.generation}`, gates)
  context.reporter.note(describeComparison(comparison))
  const report = await writeReport(context, evidence, { gates, comparison })
  return { former: before.generation, comparison, gate, threshold, report }
}

/** Raises `not-found`, and `usage` for a generation that is under the wanted model already. */
async function findFormer(
  { generations, state }: Context,
  model: Model,
  from: string | undefined,
): Promise<Manifest> {
  if (from === undefined) return await findNewestUnderOther(generations, model, await state.read())
  const manifest = await generations.read(from)
  if (manifest.bridge) {
    throw new LongshoreError(
      'usage',
      `${from} is a bridge to ${manifest.parent?.name ?? 'another generation'}, whose items it has`,
      {
        hint: 'name that one',
      },
    )
  }
  if (manifest.model.fingerprint !== model.fingerprint) return manifest
  throw new LongshoreError('usage', `${from} is under ${model.name} already`)
}

/** A backup in the directory, with the files of items where these are named; one that is there already is not made again. */
async function keep(
  context: Context,
  { generation, digest }: Manifest,
  { backup: directory = join(context.profile.state, 'backups'), files }: MigrateRequest,
): Promise<Answer | undefined> {
  if (directory === false) return undefined
  const to = join(directory, `${generation}.tar`)
  const inside = await context.archives.readManifest(to).catch((error: unknown) => {
    if (error instanceof LongshoreError && error.kind === 'not-found') return undefined
    throw error
  })
  if (inside?.digest !== digest) return await backup(context, { generation, to, files: files ?? false })
  return { outcome: 'nothing-to-do', text: `${to} holds ${generation} already`, json: { path: to } }
}

/** Keeps the generation of a model that finds less out of service, also when the newest is asked for later. */
async function refuse(
  context: Context,
  after: Manifest,
  facts: {
    readonly gate: { readonly detail?: string }
    readonly report: ReportPaths
    readonly bridge?: { readonly generation: string }
  },
): Promise<LongshoreError> {
  const generation = refOf(after)
  const reason = `${after.model.name} finds less than the former model: ${facts.gate.detail}`
  await holdLock(context, `migrate ${generation.name}`, (session) =>
    quarantine(session, { generation, content: computeContentDigest(after), reason }),
  )
  return new LongshoreError('gate', `${generation.name} is refused: ${reason}`, {
    hint: [
      describeReport(facts.report),
      'gates.modelLoss in the profile says how much less is allowed',
      'update-indices.mjs --force serves it all the same',
      ...(facts.bridge
        ? [`${facts.bridge.generation} goes on serving: rollback.mjs goes back from the bridge`]
        : []),
    ].join('; '),
    answer: { generation: generation.name, digest: generation.digest, ...facts },
  })
}
