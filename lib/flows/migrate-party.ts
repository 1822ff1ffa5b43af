import { resolve } from 'node:path'
import type { MigrationConfig } from '../domain/fate/migration-config.ts'
import { META_FILE } from '../domain/fate/package-layout.ts'
import { partiesOf } from '../domain/fate/parties.ts'
import type { FateDraft, PublishedPackage } from '../ports/fate-packages.ts'
import type { Answer } from './context.ts'
import { answerMigrated, attempt, type PartyLeftover, refuseLeftovers } from './party-answer.ts'
import { type PartyContext, readConfig } from './party-context.ts'
import { besideOf, countBytes, openParty, type PackageOrder, type PartyPackage } from './party-package.ts'
import { planParties } from './plan-parties.ts'
import { writeParty } from './write-party.ts'

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
    if (!context.dryRun) context.reporter.plan(plan)
    const leftovers = await write(context, opened, { order, jobId, options })
    return answerMigrated({ opened, plan, jobId, leftovers: leftovers.found, published: leftovers.published })
  } finally {
    for (const { source } of opened) await source.close()
  }
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

type Written = { readonly found: readonly PartyLeftover[]; readonly published: readonly PublishedPackage[] }

async function write(
  context: PartyContext,
  opened: readonly PartyPackage[],
  { order, jobId, options }: { order: PackageOrder; jobId: string; options: MigratePartyOptions },
): Promise<Written> {
  const { fatePackages: packages, dryRun } = context
  const parties = opened.map(({ party }) => party)
  const total = opened.reduce((sum, party) => sum + countBytes(party), 0)
  const draft = dryRun ? undefined : await packages.createDraft(order.to, 2 * total)
  try {
    const found: PartyLeftover[] = []
    for (const party of opened)
      found.push(...(await attempt(party.party, { parties, jobId }, () => writeOne(context, party, draft))))
    if (!options.isCompat && !options.keepsLeftovers) refuseLeftovers(found)
    return { found, published: (await draft?.publish({ replace: false })) ?? [] }
  } finally {
    await draft?.discard()
  }
}

async function writeOne(
  { fatePackages: packages, reporter, signal }: PartyContext,
  party: PartyPackage,
  draft: FateDraft | undefined,
): Promise<PartyLeftover[]> {
  const total = countBytes(party)
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
