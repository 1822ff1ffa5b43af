import { LongshoreError } from '../domain/errors.ts'
import { type ImportOrder, parseImportOrder } from '../domain/fate/import-request.ts'
import {
  type BufferPlace,
  type DefineMeta,
  IMPORT_FILE,
  META_FILE,
  PIPELINE,
  pathOf,
} from '../domain/fate/package-layout.ts'
import { decodeText } from '../domain/fate/wire-format.ts'
import type { FatePackage, FatePackages } from '../ports/fate-packages.ts'

/** What `define_meta.yaml` of a package names. Raises `corrupt` for a package without it, or without a pipeline. */
export async function readMeta(packages: FatePackages, source: FatePackage): Promise<DefineMeta> {
  for (const path of [META_FILE, PIPELINE])
    if (!source.files.some((file) => file.path === path)) throw lacks(source, path)
  return await packages.parseMeta(decodeText(await source.read(META_FILE)), `${source.source}: ${META_FILE}`)
}

/** Buffers that a package should have and has not. */
export function findMissing({ buffers }: DefineMeta, { files }: FatePackage): BufferPlace[] {
  const present = new Set(files.map(({ path }) => path))
  return buffers.filter((place) => !present.has(pathOf(place)))
}

/** Raises `corrupt` naming the first buffer that is missing. */
export function checkWhole([missing]: readonly BufferPlace[], source: FatePackage): void {
  if (missing) throw lacks(source, pathOf(missing))
}

function lacks({ source }: FatePackage, path: string): LongshoreError {
  return new LongshoreError('corrupt', `${source}: lacks ${path}, which a model of it needs`, {
    hint: 'take another copy of this package',
  })
}

/** What the `import_model.json` of a package says; undefined for a package without. Raises `usage`. */
export async function readInside(source: FatePackage): Promise<ImportOrder | undefined> {
  if (!source.files.some(({ path }) => path === IMPORT_FILE)) return undefined
  return parseImportOrder(decodeText(await source.read(IMPORT_FILE)), `${source.source}: ${IMPORT_FILE}`)
}
