import { resolve } from 'node:path'
import { LongshoreError } from '../domain/errors.ts'
import { checkImport, type ImportOrder, parseImportOrder } from '../domain/fate/import-request.ts'
import { type DefineMeta, IMPORT_FILE, PIPELINE } from '../domain/fate/package-layout.ts'
import { type Pipeline, parsePipeline } from '../domain/fate/pipeline.ts'
import type { FatePackage } from '../ports/fate-packages.ts'
import type { ImportPartyOptions } from './import-party.ts'
import { checkWhole, findMissing, readInside, readMeta } from './package-contents.ts'
import type { PartyContext } from './party-context.ts'

/** A package that may be imported. */
export type Checked = {
  readonly order: ImportOrder
  readonly source: FatePackage
  readonly pipeline: Pipeline
  readonly meta: DefineMeta
  readonly sha256: string | undefined
}

/** Opens a package and checks that it is what shall be imported. Raises `not-found`, `usage`, `corrupt`, `gate`. */
export async function openChecked(context: PartyContext, options: ImportPartyOptions): Promise<Checked> {
  const { fatePackages: packages, inputs } = context
  const { isCompat } = options
  const given = options.source.endsWith('.json')
    ? parseImportOrder(await inputs.readText(options.source), options.source)
    : undefined
  const path = resolve(given ? (given.file ?? fail(`${options.source}: names no file`)) : options.source)
  const sha256 = path.endsWith('.zip') ? await checkDigest(context, path, options.sha256) : undefined
  const source = await packages.open([path])
  try {
    const meta = await readMeta(packages, source)
    const pipeline = parsePipeline(await source.read(PIPELINE))
    const inside = await readInside(source)
    const order = given ?? inside ?? fail(`${path}: has no ${IMPORT_FILE}: write one, and name that`)
    checkImport(order, { pipeline, inside, isCompat })
    if (!isCompat) checkWhole(findMissing(meta, source), source)
    return { order, source, pipeline, meta, sha256 }
  } catch (error) {
    await source.close()
    throw error
  }
}

/** Raises `corrupt` for an archive that is another one than it should be. */
async function checkDigest(
  { fatePackages }: PartyContext,
  path: string,
  given: string | undefined,
): Promise<string> {
  const { sha256, written } = await fatePackages.digest(path)
  const expected = given ?? written
  if (expected === undefined || expected === sha256) return sha256
  throw new LongshoreError(
    'corrupt',
    `Model archive hash mismatch. path: ${path} expected: ${expected} actual: ${sha256}`,
    { hint: 'take another copy of this archive' },
  )
}

function fail(message: string): never {
  throw new LongshoreError('usage', message)
}
