import { resolve } from 'node:path'
import { LongshoreError, messageOf } from '../domain/errors.ts'
import { jobIdOf } from '../domain/fate/job-id.ts'
import { type MigrationConfig, parseMigrationConfig } from '../domain/fate/migration-config.ts'
import { META_FILE } from '../domain/fate/package-layout.ts'
import { type Party, partiesOf } from '../domain/fate/parties.ts'
import { type PartyResult, renderResponse, renderSuccess } from '../domain/fate/response.ts'
import { shapeOf } from '../domain/fate/shapes.ts'
import { assemblePlan, describePlan, type Plan, type Step } from '../domain/plan.ts'
import type { FateDraft, PublishedPackage } from '../ports/fate-packages.ts'
import type { Answer, Context } from './context.ts'
import { besideOf, openParty, type PackageOrder, type PartyPackage } from './party-package.ts'
import { type FoundLeftover, writeParty } from './write-party.ts'

export type PartyContext = Pick<
  Context,
  'inputs' | 'fatePackages' | 'openFateFlow' | 'reporter' | 'signal' | 'dryRun' | 'confirm' | 'now'
>

export type MigratePartyOptions = {
  /** `migrate_model.json`. */
  readonly config: string
  /** `model_local_cache`, a directory of archives, or one package. */
  readonly from: string
  /** Beside the former packages where left out. */
  readonly to: string | undefined
  readonly as: PackageOrder['as']
  readonly isCompat: boolean
  /** Whether packages are written in which former parties still stand. */
  readonly keepsLeftovers: boolean
}

type PartyLeftover = FoundLeftover & { readonly party: Party }

/**
 * Writes the packages of all parties that the configuration executes, for their new ids: all of them or none. Raises
 * `usage`, `not-found`, `corrupt`, `gate` where a former party still stands in one, and `remote` for a full disk.
 */
export async function migrateParty(context: PartyContext, options: MigratePartyOptions): Promise<Answer> {
  const { config, jobId } = await readConfig(context, options.config)
  const order = await createOrder(context, { config, jobId, options })
  const parties = partiesOf(config.executeParty)
  const opened: PartyPackage[] = []
  try {
    for (const party of parties)
      opened.push(
        await attempt(party, { parties, jobId }, () => openParty(context.fatePackages, party, order)),
      )
    const plan = planParties(opened)
    context.reporter.plan(plan)
    const leftovers = await write(context, opened, { order, jobId, options })
    return answer({ opened, plan, jobId, leftovers: leftovers.found, published: leftovers.published })
  } finally {
    for (const { source } of opened) await source.close()
  }
}

/** The configuration, and the job's id, which is the version where none is named. */
export async function readConfig(
  { inputs, now }: Pick<PartyContext, 'inputs' | 'now'>,
  path: string,
): Promise<{ config: MigrationConfig; text: string; jobId: string }> {
  const text = await inputs.readText(path)
  return { config: parseMigrationConfig(text, path), text, jobId: jobIdOf(now()) }
}

type Ordered = {
  readonly config: MigrationConfig
  readonly jobId: string
  readonly options: MigratePartyOptions
}

async function createOrder(
  { fatePackages }: PartyContext,
  { config, jobId, options }: Ordered,
): Promise<PackageOrder> {
  const from = resolve(options.from)
  const isPackage = from.endsWith('.zip') || (await fatePackages.has(resolve(from, META_FILE)))
  return {
    ...{ config, from, as: options.as, isCompat: options.isCompat },
    version: config.unifyModelVersion ?? jobId,
    to: options.to === undefined ? besideOf(from, isPackage) : resolve(options.to),
  }
}

/** A step for each package, and for each component that names parties. */
function planParties(opened: readonly PartyPackage[]): Plan {
  return assemblePlan(
    opened.map(({ party, fresh, path, source, rewriting: { meta, mode } }) => {
      const name = `${fresh.role}#${fresh.id}`
      const components = Object.entries(meta.modules).filter(([, module]) => shapeOf(module, mode))
      const bytes = source.files.reduce((sum, file) => sum + file.bytes, 0)
      return [
        { action: 'change', target: path, bytes, cause: `${party.role} ${party.id} becomes ${fresh.id}` },
        {
          action: 'change',
          target: `${name} pipeline`,
          cause: 'tells parties, initiator, model and version',
        },
        ...components.map(
          ([component, module]): Omit<Step, 'batch'> => ({
            action: 'change',
            target: `${name} ${component}`,
            cause: `${module} names parties in its parameters`,
          }),
        ),
      ]
    }),
  )
}

type Written = { readonly found: readonly PartyLeftover[]; readonly published: readonly PublishedPackage[] }

async function write(
  context: PartyContext,
  opened: readonly PartyPackage[],
  { order, jobId, options }: { order: PackageOrder; jobId: string; options: MigratePartyOptions },
): Promise<Written> {
  const { fatePackages: packages, dryRun } = context
  const parties = opened.map(({ party }) => party)
  const total = opened.flatMap(({ source }) => source.files).reduce((sum, { bytes }) => sum + bytes, 0)
  const draft = dryRun ? undefined : await packages.createDraft(order.to, 2 * total)
  try {
    const found: PartyLeftover[] = []
    for (const party of opened)
      found.push(
        ...(await attempt(party.party, { parties, jobId }, () => writeOne(context, party, { draft, total }))),
      )
    if (!options.isCompat && !options.keepsLeftovers) refuseLeftovers(found)
    return { found, published: (await draft?.publish({ replace: false })) ?? [] }
  } finally {
    await draft?.discard()
  }
}

async function writeOne(
  { fatePackages: packages, reporter, signal }: PartyContext,
  party: PartyPackage,
  { draft, total }: { draft: FateDraft | undefined; total: number },
): Promise<PartyLeftover[]> {
  const task = `migrate ${party.party.role} ${party.party.id}`
  let done = 0
  const found = await writeParty(party, {
    ...{ packages, signal },
    draft: await draft?.add(party.names),
    onBytes(bytes) {
      done += bytes
      reporter.progress({ task, done: Math.min(done, total), total, unit: 'bytes' })
    },
  })
  return found.map((leftover) => ({ party: party.party, ...leftover }))
}

/** Whatever one party meets ends the run: nothing of the others is published without it. */
async function attempt<T>(
  party: Party,
  { parties, jobId }: { parties: readonly Party[]; jobId: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof LongshoreError)) throw error
    const message = `${party.role} ${party.id}: ${messageOf(error)}`
    const results = parties.map((other): PartyResult => {
      const retmsg = other === party ? messageOf(error) : `not migrated, because of ${message}`
      return { party: other, retcode: 100, retmsg }
    })
    const { kind, hint } = error
    throw new LongshoreError(kind, message, {
      ...(hint !== undefined && { hint }),
      cause: error,
      answer: { ...renderResponse(jobId, results) },
    })
  }
}

function refuseLeftovers(found: readonly PartyLeftover[]): void {
  const named = found.filter(({ certainty }) => certainty === 'named')
  if (named.length === 0) return
  const lines = named.map(
    ({ party, file, place, text }) => `${party.role} ${party.id}: ${file}: ${place}: ${text}`,
  )
  throw new LongshoreError(
    'gate',
    `former parties still stand in ${named.length} places:\n${lines.join('\n')}`,
    {
      hint: 'look whether a prediction needs these places; --keep-leftovers writes the packages all the same',
      answer: { leftovers: found },
    },
  )
}

type Outcome = {
  readonly opened: readonly PartyPackage[]
  readonly plan: Plan
  readonly jobId: string
  readonly leftovers: readonly PartyLeftover[]
  readonly published: readonly PublishedPackage[]
}

function answer({ opened, plan, jobId, leftovers, published }: Outcome): Answer {
  const results = opened.map(
    (part): PartyResult => ({ party: part.party, retcode: 0, retmsg: renderSuccess(part, part.path) }),
  )
  const packages = opened.map(({ fresh, modelId, version, path }, index) => ({
    ...{ role: fresh.role, party_id: fresh.id, model_id: modelId, model_version: version, path },
    sha256: published[index]?.sha256 ?? null,
  }))
  const isDone = published.length > 0
  const lines = packages.map(({ path, sha256 }) => `${path}${sha256 === null ? '' : `\nsha256:${sha256}`}`)
  const rest = leftovers.map(
    ({ party, file, place, text, certainty }) =>
      `${certainty === 'named' ? 'still' : 'maybe'} in ${party.role} ${party.id}: ${file}: ${place}: ${text}`,
  )
  const head = isDone
    ? `${packages[0]!.model_id}, version ${packages[0]!.model_version}`
    : 'a dry run: nothing was written'
  return {
    outcome: 'done',
    ...(!isDone && { plan }),
    text: [head, ...(isDone ? lines : []), ...rest].join('\n'),
    json: {
      ...(isDone && renderResponse(jobId, results)),
      ...{ packages, leftovers, plan: describePlan(plan) },
    },
  }
}
