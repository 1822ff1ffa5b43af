import { LongshoreError } from '../../domain/errors.ts'
import { type FileEntry, MANIFEST_FILE, type Manifest } from '../../domain/manifest.ts'
import { parseManifest } from '../../domain/parse-manifest.ts'
import { selectFiles } from '../../domain/portions.ts'
import { allowMs, type Place, runScript } from './run-script.ts'
import { CODES, READ_MANIFEST, SURVEY } from './scripts.ts'

/** What a node has of one file: whole with this SHA-256, a piece of it, or something else that is told in words. */
export type Finding =
  | { readonly state: 'whole'; readonly sha256: string }
  | { readonly state: 'part'; readonly bytes: number; readonly sha256: string; readonly name: string }
  | { readonly state: 'link' | 'missing' }
  | { readonly state: 'wrong'; readonly problem: string }

/** The manifest that a node holds of a generation, null when it has none that is whole; otherwise what is there. */
export type Held =
  | { readonly manifest: Manifest | null }
  | { readonly problem: string; readonly isThere: boolean }

const NO_DIRECTORY: Record<number, string> = {
  [CODES.missing]: 'is not there',
  [CODES.link]: 'is a symbolic link',
  [CODES.notDirectory]: 'is no directory',
}

/** What a node holds under the name of a generation. */
export async function readHeld(place: Place, generation: string, signal: AbortSignal): Promise<Held> {
  const directory = `${place.home}/${generation}`
  const { code, stdout } = await runScript(place, READ_MANIFEST, [directory], {
    signal,
    timeoutMs: allowMs(place, 0),
    codes: Object.values(CODES),
  })
  const problem = NO_DIRECTORY[code]
  if (problem !== undefined) return { problem, isThere: code !== CODES.missing }
  try {
    return { manifest: parseManifest(stdout, `${place.node}: ${directory}/${MANIFEST_FILE}`) }
  } catch (error) {
    if (error instanceof LongshoreError) return { manifest: null }
    throw error
  }
}

/**
 * What is wrong with a generation under its final name, or with what belongs to these clusters or to none; undefined when
 * every byte is as the manifest says.
 */
export async function findProblem(
  place: Place,
  manifest: Manifest,
  signal: AbortSignal,
  clusters?: readonly number[],
): Promise<{ readonly problem: string; readonly isThere: boolean } | undefined> {
  const held = await readHeld(place, manifest.generation, signal)
  if ('problem' in held) return held
  const problem = await findManifestProblem(
    place,
    held.manifest,
    { ...manifest, files: selectFiles(manifest, clusters) },
    signal,
  )
  return problem === undefined ? undefined : { problem, isThere: true }
}

async function findManifestProblem(
  place: Place,
  held: Manifest | null,
  { generation, digest, files }: Manifest,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!held) return `has no sound ${MANIFEST_FILE}`
  if (held.digest !== digest) return `has digest ${held.digest}, expected ${digest}`
  const findings = await surveyFiles(place, `${place.home}/${generation}`, files, signal)
  for (const [index, entry] of files.entries()) {
    const problem = describeFinding(entry, findings[index]!)
    if (problem !== undefined) return `is damaged: ${problem}`
  }
  return undefined
}

/** What is wrong with one file, undefined when nothing is. */
export function describeFinding(entry: FileEntry, finding: Finding): string | undefined {
  const { path, sha256 } = entry
  if (finding.state === 'link') return `${path} is a symbolic link`
  if (finding.state === 'wrong') return `${path} ${finding.problem}, the manifest says ${entry.bytes} bytes`
  if (finding.state !== 'whole') return `${path} is missing`
  return finding.sha256 === sha256
    ? undefined
    : `${path} has sha-256 ${finding.sha256}, the manifest says ${sha256}`
}

/** Looks at files in a directory of a node, each read from its disk; one finding per entry, in their order. */
export async function surveyFiles(
  place: Place,
  directory: string,
  files: readonly FileEntry[],
  signal: AbortSignal,
): Promise<Finding[]> {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0)
  const { stdout } = await runScript(place, SURVEY, [directory], {
    stdin: files.map(({ bytes, path }) => `${bytes} ${path}\n`).join(''),
    signal,
    timeoutMs: allowMs(place, total),
  })
  const lines = stdout.split('\n').slice(0, files.length)
  return files.map((_, index) => parseFinding(lines[index] ?? ''))
}

function parseFinding(line: string): Finding {
  const [state, first = '', second = '', ...name] = line.split(' ')
  if (state === 'whole') return { state, sha256: first }
  if (state === 'part') return { state, bytes: Number(first), sha256: second, name: name.join(' ') }
  if (state === 'link' || state === 'missing') return { state }
  return { state: 'wrong', problem: state === 'size' ? `has ${first} bytes` : 'is no plain file' }
}
