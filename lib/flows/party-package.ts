import { dirname, join } from 'node:path'
import { LongshoreError } from '../domain/errors.ts'
import { planIdentity } from '../domain/fate/identity.ts'
import type { ImportOrder } from '../domain/fate/import-request.ts'
import { createFindNames, type FindNames } from '../domain/fate/leftovers.ts'
import type { MigrationConfig } from '../domain/fate/migration-config.ts'
import { createRename } from '../domain/fate/names.ts'
import { isFormerLayout, META_FILE, PIPELINE } from '../domain/fate/package-layout.ts'
import {
  archiveName,
  createPartyMap,
  modelIdOf,
  type Party,
  partyModelId,
  ROLES,
} from '../domain/fate/parties.ts'
import { type Pipeline, parsePipeline, readRoles } from '../domain/fate/pipeline.ts'
import type { Rewriting } from '../domain/fate/rewrite-file.ts'
import type { Mode } from '../domain/fate/shapes.ts'
import type { FatePackage, FatePackages, PackageNames } from '../ports/fate-packages.ts'
import { checkWhole, findMissing, readInside, readMeta } from './package-contents.ts'

/** Where packages are read and written, and how. */
export type PackageOrder = {
  readonly config: MigrationConfig
  /** Of the new packages. */
  readonly version: string
  readonly from: string
  readonly to: string
  readonly as: 'directory' | 'archive' | 'both'
  readonly isCompat: boolean
}

/** One party's package before it is rewritten. */
export type PartyPackage = {
  /** By the former id. */
  readonly party: Party
  readonly fresh: Party
  readonly modelId: string
  readonly version: string
  readonly source: FatePackage
  readonly names: PackageNames
  /** The path of the new archive, or of the new directory where no archive is written. */
  readonly path: string
  readonly isFormer: boolean
  readonly rewriting: Rewriting
  readonly find: FindNames
  /** Component and alias whose buffers are not all there. */
  readonly dropped: readonly (readonly [string, string])[]
}

/**
 * Opens the package of a party and finds out how it changes. Raises `not-found`, `corrupt`, and `usage` for a package of
 * other parties than the configuration tells, and for a version that is occupied.
 */
export async function openParty(
  packages: FatePackages,
  party: Party,
  order: PackageOrder,
): Promise<PartyPackage> {
  const { config, version, to } = order
  const modelId = modelIdOf(config.migrateRole)
  const fresh = {
    ...party,
    id: createPartyMap(config.role, config.migrateRole).find(party.role, party.id) ?? party.id,
  }
  const directory = join(partyModelId(fresh, modelId), version)
  const archive = archiveName(fresh, { modelId, version })
  await refuseOccupied(packages, [join(to, directory), join(to, archive)], version)
  const source = await packages.open(await listPlaces(packages, party, order))
  try {
    const isFormer = isFormerLayout(source.files.map(({ path }) => path))
    return {
      ...{ party, fresh, modelId, version, source, isFormer },
      ...(await planRewriting(packages, { party, source, order, isFormer })),
      names: {
        directory: order.as === 'archive' ? undefined : directory,
        archive: order.as === 'directory' ? undefined : archive,
        hasSha1: isFormer,
      },
      path: join(to, order.as === 'directory' ? directory : archive),
      find: createFindNames(config.role, config.migrateRole),
    }
  } catch (error) {
    await source.close()
    throw error
  }
}

type Opened = {
  readonly party: Party
  readonly source: FatePackage
  readonly order: PackageOrder
  readonly isFormer: boolean
}

async function planRewriting(
  packages: FatePackages,
  { party, source, order, isFormer }: Opened,
): Promise<Pick<PartyPackage, 'rewriting' | 'dropped'>> {
  const { config, version, isCompat } = order
  const mode: Mode = !isCompat ? 'strict' : isFormer ? 'compat-1.8' : 'compat'
  const meta = await readMeta(packages, source)
  const pipeline = parsePipeline(await source.read(PIPELINE))
  const missing = findMissing(meta, source)
  if (!isCompat) {
    checkWhole(missing, source)
    checkModel(pipeline, config, source)
    checkParty(await readInside(source), party, source)
  }
  const identity = {
    ...{ modelId: modelIdOf(config.migrateRole), version },
    ...{ roles: config.migrateRole, initiator: config.initiator },
  }
  const rename = createRename({
    parties: createPartyMap(config.role, config.migrateRole),
    ...(isCompat && { pairGap: ' ' }),
  })
  return {
    rewriting: { mode, meta, rename, changes: planIdentity(pipeline, identity, mode) },
    dropped: missing.map(({ component, alias }) => [component, alias] as const),
  }
}

async function refuseOccupied(
  packages: FatePackages,
  places: readonly string[],
  version: string,
): Promise<void> {
  for (const place of places) {
    if (!(await packages.has(place))) continue
    throw new LongshoreError(
      'usage',
      `Unify model version ${version} has been occupied: ${place} exists already. Please choose another unify model version and try again.`,
      { hint: 'set another unify_model_version, or write elsewhere with --to' },
    )
  }
}

/** A directory of directories or archives as FATE keeps them, or the one package itself. */
async function listPlaces(
  packages: FatePackages,
  party: Party,
  { config: { modelId, modelVersion, executeParty }, from }: PackageOrder,
): Promise<string[]> {
  const isOnly = ROLES.flatMap((role) => executeParty[role] ?? []).length === 1
  if (isOnly && (from.endsWith('.zip') || (await packages.has(join(from, META_FILE))))) return [from]
  return [
    join(from, partyModelId(party, modelId), modelVersion),
    join(from, archiveName(party, { modelId, version: modelVersion })),
  ]
}

/** The original never looks whether a package is of the parties that it is told. */
function checkModel(
  pipeline: Pipeline,
  { role, modelId, modelVersion }: MigrationConfig,
  { source }: FatePackage,
): void {
  const fail = (problem: string) =>
    new LongshoreError('usage', `${source}: ${problem}`, {
      hint: 'correct the configuration, or take the right package',
    })
  if (pipeline.modelId !== modelId)
    throw fail(`its pipeline is of model ${pipeline.modelId}, expected ${modelId}`)
  if (pipeline.modelVersion !== modelVersion)
    throw fail(`its pipeline is of version ${pipeline.modelVersion}, expected ${modelVersion}`)
  const trained = readRoles(pipeline)
  for (const name of ROLES) {
    const [own, told] = [trained[name] ?? [], role[name] ?? []].map((ids) => [...ids].sort().join(', '))
    if (own !== told)
      throw fail(`was trained by ${name} ${own || 'nobody'}, role.${name} is ${told || 'nobody'}`)
  }
}

/** A package that FATE-Flow packed tells whose it is. */
function checkParty(inside: ImportOrder | undefined, { role, id }: Party, { source }: FatePackage): void {
  if (!inside || (inside.party.role === role && inside.party.id === id)) return
  throw new LongshoreError(
    'usage',
    `${source}: is the package of ${inside.party.role} ${inside.party.id}, not of ${role} ${id}`,
    { hint: 'name the package of that party with --from, or the right party under execute_party' },
  )
}

/** Bytes of the files of a package. */
export function countBytes({ source }: Pick<PartyPackage, 'source'>): number {
  return source.files.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** Where new packages are written when nobody says: beside the former one. */
export function besideOf(from: string, isPackage: boolean): string {
  if (!isPackage) return from
  // A version's directory lies in that of its party, which lies in the cache.
  return from.endsWith('.zip') ? dirname(from) : dirname(dirname(from))
}
