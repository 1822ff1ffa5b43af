import { join, resolve } from 'node:path'
import { LongshoreError } from '../domain/errors.ts'
import { planIdentity } from '../domain/fate/identity.ts'
import { jobIdOf } from '../domain/fate/job-id.ts'
import { createRename } from '../domain/fate/names.ts'
import { kindOf } from '../domain/fate/package-layout.ts'
import { createPartyMap, partyModelId } from '../domain/fate/parties.ts'
import { readInitiator, readRoles } from '../domain/fate/pipeline.ts'
import type { FateResponse } from '../domain/fate/response.ts'
import { isRead, type Rewriting, rewriteFile } from '../domain/fate/rewrite-file.ts'
import { describePlan, type Plan } from '../domain/plan.ts'
import type { FateDraft } from '../ports/fate-packages.ts'
import { type Checked, openChecked } from './check-import.ts'
import type { Answer } from './context.ts'
import type { PartyContext } from './party-context.ts'
import { countBytes } from './party-package.ts'

export type ImportPartyOptions = {
  /** `import_model.json`, or a package that has one. */
  readonly source: string
  /** The target `model_local_cache`. */
  readonly into: string
  /** The FATE-Flow server that takes the archive, in place of a directory of this machine. */
  readonly server: string | undefined
  readonly isForced: boolean
  /** What the archive shall be; as it is written beside it where left out. */
  readonly sha256: string | undefined
  readonly isCompat: boolean
}

/**
 * Takes a package into a cache of FATE-Flow, or gives it to a server, after the checks of the original and those that it
 * lacks. Raises `not-found`, `usage` for a version that is there, `corrupt`, `gate` for a package of another party or model,
 * and `remote`.
 */
export async function importParty(context: PartyContext, options: ImportPartyOptions): Promise<Answer> {
  const checked = await openChecked(context, options)
  try {
    return options.server === undefined
      ? await importHere(context, checked, options)
      : await importThere(context, checked, { ...options, server: options.server })
  } finally {
    await checked.source.close()
  }
}

async function importHere(
  context: PartyContext,
  checked: Checked,
  options: ImportPartyOptions,
): Promise<Answer> {
  const { order } = checked
  const { fatePackages: packages, dryRun, reporter } = context
  const root = resolve(options.into)
  const directory = join(partyModelId(order.party, order.modelId), order.version)
  const target = join(root, directory)
  const isForced = options.isForced || order.isForced
  if (!isForced && (await packages.has(target))) {
    throw new LongshoreError('usage', `Model ${target} local cache already existed.`, {
      hint: '--force puts this package in its place',
    })
  }
  const bytes = countBytes(checked)
  const plan = planImport(checked, target, bytes)
  if (dryRun) return answer(context, checked, { plan, path: target, isDone: false })
  reporter.plan(plan)
  const draft = await packages.createDraft(root, bytes)
  try {
    await fill(draft, checked, { directory, isCompat: options.isCompat, signal: context.signal })
    await draft.publish({ replace: isForced })
  } finally {
    await draft.discard()
  }
  return answer(context, checked, { plan, path: target, isDone: true })
}

async function fill(
  draft: FateDraft,
  { order, source, pipeline, meta }: Checked,
  { directory, isCompat, signal }: { directory: string; isCompat: boolean; signal: AbortSignal },
): Promise<void> {
  const part = await draft.add({ directory, archive: undefined, hasSha1: false })
  const { trainRuntimeConf, ...changes } = planIdentity(
    pipeline,
    {
      ...{ modelId: order.modelId, version: order.version },
      ...{ roles: readRoles(pipeline), initiator: readInitiator(pipeline) },
    },
    isCompat ? 'compat' : 'strict',
  )
  const rewriting: Rewriting = {
    ...{ mode: 'strict', meta: { ...meta, modules: {} } },
    rename: createRename({ parties: createPartyMap({}, {}) }),
    // The original computes it and forgets to write it.
    changes: isCompat || trainRuntimeConf === undefined ? changes : { ...changes, trainRuntimeConf },
  }
  for (const path of source.directories) await part.makeDirectory(path)
  for (const { path } of source.files) {
    signal.throwIfAborted()
    if (kindOf(path) === 'lock') continue
    const contents = isRead(path)
      ? rewriteFile(path, await source.read(path), rewriting)
      : source.stream(path)
    await part.write(path, contents)
  }
}

type Server = ImportPartyOptions & { readonly server: string }

async function importThere(context: PartyContext, checked: Checked, options: Server): Promise<Answer> {
  const { order, source, sha256 } = checked
  if (sha256 === undefined)
    throw new LongshoreError('usage', `${source.source}: is no zip archive, and a server takes nothing else`)
  const plan = planImport(checked, options.server, 0)
  if (context.dryRun) return answer(context, checked, { plan, path: options.server, isDone: false })
  context.reporter.plan(plan)
  await context.confirm(plan)
  const flow = await context.openFateFlow(options.server)
  try {
    const request = {
      ...{ file: source.source, sha256, isForced: options.isForced || order.isForced },
      ...{ role: order.party.role, partyId: order.party.id },
      ...{ modelId: order.modelId, modelVersion: order.version },
    }
    const response = await flow.import(request, context.signal)
    if (response.retcode !== 0) {
      throw new LongshoreError(
        'remote',
        `${options.server}: ${response.retmsg} (retcode ${response.retcode})`,
        {
          answer: { ...response },
        },
      )
    }
    return answer(context, checked, { plan, path: options.server, isDone: true, response })
  } finally {
    await flow.close()
  }
}

function planImport({ order: { party, modelId, version } }: Checked, target: string, bytes: number): Plan {
  const cause = `${party.role} ${party.id} takes part in ${modelId}, version ${version}`
  return { steps: [{ batch: 1, action: 'deliver', target, cause, ...(bytes > 0 && { bytes }) }] }
}

type Imported = {
  readonly plan: Plan
  readonly path: string
  readonly isDone: boolean
  readonly response?: FateResponse
}

function answer({ now }: PartyContext, { order, sha256 }: Checked, imported: Imported): Answer {
  const { plan, path, isDone, response } = imported
  const { party, modelId, version } = order
  const data = {
    ...{ job_id: jobIdOf(now()), model_id: modelId, model_version: version },
    ...{ party_id: String(party.id), role: party.role },
  }
  return {
    outcome: 'done',
    ...(!isDone && { plan }),
    text: isDone
      ? `${party.role} ${party.id}: ${modelId}, version ${version}, is in ${path}`
      : 'a dry run: nothing was imported',
    json: {
      ...(isDone && (response ?? { data, retcode: 0, retmsg: 'success' })),
      ...{ path, sha256: sha256 ?? null, plan: describePlan(plan) },
    },
  }
}
