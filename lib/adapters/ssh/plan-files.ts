import type { FileEntry } from '../../domain/manifest.ts'
import { type Finding, surveyFiles } from './held-files.ts'
import { discard, locatePartial, type Preparing, prepareDirectory, readFree } from './partial.ts'
import type { Piece } from './send-file.ts'
import { hashStart } from './source-file.ts'

/** A file that has to be sent, from the end of the piece that the node has of it. */
export type Missing = { readonly entry: FileEntry; readonly piece: Piece | undefined }

/** `from` is the directory that holds the generation. */
type Planning = Preparing & { readonly from: string }

/** What has to be sent, and what the node has of it already. Raises `ENOSPC` when it has no room. */
export async function planFiles(planning: Planning): Promise<Missing[]> {
  const { place, files, signal } = planning
  const [findings, free] = await Promise.all([
    surveyFiles(place, locatePartial(planning), files, signal),
    readFree(planning),
  ])
  // Links and the like are made by no delivery: nothing of it is worth keeping.
  if (findings.some(isForeign)) return discardAndPlan(planning)
  const missing: Missing[] = []
  for (const [index, entry] of files.entries()) {
    const finding = findings[index]!
    if (finding.state === 'whole' && finding.sha256 === entry.sha256) continue
    missing.push({ entry, piece: await findPiece(planning, entry, finding) })
  }
  if (free >= countMissing(missing)) return missing
  // A piece is copied before it is continued: without it there may be room enough.
  if (missing.some(({ piece }) => piece)) return discardAndPlan(planning)
  throw Object.assign(new Error('no room'), { code: 'ENOSPC' })
}

async function discardAndPlan(planning: Planning): Promise<Missing[]> {
  await discard(planning)
  await prepareDirectory(planning)
  return planFiles(planning)
}

function isForeign(finding: Finding): boolean {
  return finding.state === 'link' || (finding.state === 'wrong' && finding.problem === 'is no plain file')
}

/** The piece of a file that a node has, where it is the beginning of ours. */
async function findPiece({ from }: Planning, entry: FileEntry, finding: Finding): Promise<Piece | undefined> {
  if (finding.state !== 'part') return undefined
  const { bytes, name, sha256 } = finding
  return (await hashStart(from, entry, bytes)) === sha256 ? { bytes, name } : undefined
}

/** Bytes of the files, those included that a node has of them. */
export function countMissing(missing: readonly Pick<Missing, 'entry'>[]): number {
  return missing.reduce((sum, { entry }) => sum + entry.bytes, 0)
}
