import type { Leftover } from '../domain/fate/leftovers.ts'
import { IMPORT_FILE, kindOf, META_FILE, placeOf } from '../domain/fate/package-layout.ts'
import { findLeftovers, isRead, rewriteFile } from '../domain/fate/rewrite-file.ts'
import { decodeText, encodeText } from '../domain/fate/wire-format.ts'
import type { DraftPackage, FatePackages } from '../ports/fate-packages.ts'
import type { PartyPackage } from './party-package.ts'

export type FoundLeftover = Leftover & { readonly file: string }

export type WriteOptions = {
  readonly packages: FatePackages
  /** Where it is written; nowhere in a dry run, which rewrites and looks all the same. */
  readonly draft: DraftPackage | undefined
  readonly signal: AbortSignal
  readonly onBytes: (bytes: number) => void
}

/**
 * Writes the package of a party for its new parties, file by file, and tells where former ones still stand. Raises
 * `corrupt` for a damaged package, `usage` for a party that the configuration does not name.
 */
export async function writeParty(party: PartyPackage, options: WriteOptions): Promise<FoundLeftover[]> {
  const { source, isFormer, rewriting } = party
  const { draft, signal, onBytes } = options
  const leftovers: FoundLeftover[] = []
  for (const directory of source.directories) {
    if (!isLeftOut(party, `${directory}/`)) await draft?.makeDirectory(directory)
  }
  for (const { path, bytes } of source.files) {
    signal.throwIfAborted()
    if (isLeftOut(party, path)) continue
    if (isRead(path)) leftovers.push(...(await rewrite(path, party, options)))
    else await draft?.write(path, source.stream(path))
    onBytes(bytes)
  }
  await draft?.write(IMPORT_FILE, encodeText(renderImport(party, isFormer)))
  if (rewriting.mode !== 'strict') await draft?.write('.lock', new Uint8Array())
  return leftovers
}

async function rewrite(
  path: string,
  { source, rewriting, find, dropped }: PartyPackage,
  { packages, draft }: WriteOptions,
): Promise<FoundLeftover[]> {
  const before = await source.read(path)
  const rewritten = rewriteFile(path, before, rewriting)
  const isEmptied = path === META_FILE && rewriting.mode === 'compat' && dropped.length > 0
  const after = isEmptied ? encodeText(await packages.emptyMeta(decodeText(before), dropped)) : rewritten
  await draft?.write(path, after)
  return findLeftovers(path, { before, after, find }).map((leftover) => ({ file: path, ...leftover }))
}

/** What a new package does not have: locks, the former import file, checkpoints, and components that the original drops. */
function isLeftOut({ rewriting: { mode }, dropped }: PartyPackage, path: string): boolean {
  const kind = kindOf(path)
  if (kind === 'lock' || kind === 'import') return true
  if (kind === 'checkpoint') return mode !== 'compat-1.8'
  const place = placeOf(path)
  return (
    mode === 'compat' &&
    dropped.some(([component, alias]) => place?.component === component && place.alias === alias)
  )
}

/** `import_model.json` as FATE-Flow writes it; 1.5 to 1.8 know no `force_update`. */
function renderImport({ fresh, modelId, version, path }: PartyPackage, isFormer: boolean): string {
  const members = {
    role: fresh.role,
    party_id: fresh.id,
    model_id: modelId,
    model_version: version,
    file: path,
    ...(!isFormer && { force_update: false }),
  }
  return JSON.stringify(members, null, 4)
}
