import { randomBytes } from 'node:crypto'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { FileEntry, Manifest } from '../../domain/manifest.ts'
import { describeFinding, surveyFiles } from './held-files.ts'
import { locatePartial, prepareDirectory } from './partial.ts'
import { publishHeld } from './publish.ts'
import { readRemote, SourceProblem } from './read-remote.ts'
import type { Place } from './run-script.ts'
import { sendFile } from './send-file.ts'
import { readSource } from './source-file.ts'

export type Mending = {
  readonly place: Place
  readonly manifest: Manifest
  /** Those of its files that the node shall hold. */
  readonly files: readonly FileEntry[]
  /** Nodes that may hold them, in the order in which they are asked. */
  readonly peers: readonly Place[]
  /** Directory of the generation on this machine, the last source. */
  readonly directory?: string | undefined
  readonly signal: AbortSignal
  readonly onBytes: (bytes: number) => void
}

/**
 * Makes a copy whole of what is sound of it and of files that other nodes hold, piece by piece through this machine:
 * beside, each hashed on the node before it has its name, published by rename. Raises `corrupt` naming the files that no
 * source has sound, and `remote` when the node itself fails.
 */
export async function mendFiles(mending: Mending): Promise<void> {
  const { place, manifest, files, signal } = mending
  await prepareDirectory(mending)
  const findings = await surveyFiles(place, locatePartial(mending), files, signal)
  const lacking = files.filter((entry, index) => describeFinding(entry, findings[index]!) !== undefined)
  const lost: string[] = []
  for (const entry of lacking) {
    const problems = await bring(mending, entry)
    if (problems) lost.push(`${entry.path} (${problems})`)
  }
  if (lost.length === 0) return await publishHeld({ ...mending, run: nameAttempt() })
  throw new LongshoreError(
    'corrupt',
    `${place.node}: no sound copy of ${manifest.generation}/${lost.join(', ')}`,
    {
      hint: `split the same input again as ${manifest.generation}: the same content is the same generation`,
    },
  )
}

/** Takes one file from the first source that has it; otherwise tells what was wrong with each of them. */
async function bring(mending: Mending, entry: FileEntry): Promise<string | undefined> {
  const { place, manifest, peers, directory, signal, onBytes } = mending
  const sources = [
    ...peers.map((peer) => () => readRemote(peer, `${peer.home}/${manifest.generation}`, entry, signal)),
    ...(directory === undefined ? [] : [() => readSource(directory, entry, 0)]),
  ]
  const problems: string[] = []
  for (const open of sources) {
    try {
      // Under another name each time: a writer that was given up may still hold the last one.
      const about = { directory: locatePartial(mending), entry, piece: undefined, run: nameAttempt() }
      await sendFile(place, { ...about, contents: open(), signal, onBytes })
      return undefined
    } catch (error) {
      signal.throwIfAborted()
      const isOfSource = error instanceof SourceProblem || isCorrupt(error)
      if (!isOfSource) throw error
      problems.push(messageOf(error))
    }
  }
  return problems.join('; ') || 'there is no other source'
}

/** It arrived otherwise than the manifest says, or is not so on this machine. */
function isCorrupt(error: unknown): boolean {
  return error instanceof LongshoreError && error.kind === 'corrupt'
}

function nameAttempt(): string {
  return randomBytes(4).toString('hex')
}
