import { randomBytes } from 'node:crypto'
import { basename, dirname, normalize } from 'node:path/posix'
import { LongshoreError } from '../../domain/errors.ts'
import type { FileEntry } from '../../domain/manifest.ts'
import type { RemoteShell } from '../../ports/remote-shell.ts'
import type { CopyOptions, RepositoryState } from '../../ports/repositories.ts'
import { type Finding, surveyFiles } from './held-files.ts'
import { allowMs, type Place, runScript } from './run-script.ts'
import { CODES, PREPARE, PUBLISH } from './scripts.ts'
import { type Piece, sendFile } from './send-file.ts'
import { hashStart, readSource } from './source-file.ts'

export type RemoteDirectory = {
  readonly shell: RemoteShell
  readonly node: string
  /** Absolute. */
  readonly directory: string
  readonly operationTimeoutMs: number
}

/** $1 directory. Prints its files, `missing` where there is no such directory. */
const LIST = `[ -d "$1" ] || { echo missing; exit 0; }
cd -- "$1" && find . ! -type d | sed 's|^\\./||'`

/** Whether a directory of a node holds exactly these files; one that is empty is as none. */
export async function inspectRemoteFiles(
  remote: RemoteDirectory,
  files: readonly FileEntry[],
  signal: AbortSignal,
): Promise<RepositoryState> {
  const { place, final } = locate(remote)
  const { stdout } = await runScript(place, LIST, [final], { signal, timeoutMs: allowMs(place, 0) })
  const names = stdout.split('\n').filter(Boolean).sort()
  if (names.length === 0 || names.join() === 'missing') return 'absent'
  const expected = files.map(({ path }) => path).sort()
  if (names.join('\n') !== expected.join('\n')) return 'other'
  const findings = await surveyFiles(place, final, files, signal)
  return findings.every((finding, at) => isWhole(finding, files[at]!)) ? 'whole' : 'other'
}

/** Copies files to a node as `Repositories.copy` says; a file that came over in part is continued where it broke off. */
export async function copyRemoteFiles(
  from: string,
  remote: RemoteDirectory,
  files: readonly FileEntry[],
  { signal, onBytes }: CopyOptions,
): Promise<number> {
  const { place, name, partial } = locate(remote)
  const directories = new Set(files.flatMap(({ path }) => ancestorsOf(path)))
  const { code, stdout } = await runScript(place, PREPARE, [place.home, name], {
    stdin: [...directories].map((directory) => `${directory}\n`).join(''),
    signal,
    timeoutMs: allowMs(place, 0),
    codes: [CODES.link],
  })
  if (code === CODES.link) {
    throw new LongshoreError('corrupt', `${place.node}: ${stdout.trim()} is a symbolic link`)
  }
  const run = randomBytes(4).toString('hex')
  const findings = await surveyFiles(place, partial, files, signal)
  let sent = 0
  for (const [at, entry] of files.entries()) {
    const finding = findings[at]!
    if (isWhole(finding, entry)) continue
    const piece = await findPiece(from, entry, finding)
    const contents = readSource(from, entry, piece?.bytes ?? 0)
    await sendFile(place, { directory: partial, entry, piece, run, contents, signal, onBytes })
    sent += entry.bytes - (piece?.bytes ?? 0)
  }
  const kept = [...directories, ...files.map(({ path }) => path)]
  await runScript(place, PUBLISH, [place.home, name, `${place.home}/.${name}.old-${run}`], {
    stdin: `//${kept.join('//')}//`,
    signal,
    timeoutMs: allowMs(place, 0),
  })
  return sent
}

function isWhole(finding: Finding, { sha256 }: FileEntry): boolean {
  return finding.state === 'whole' && finding.sha256 === sha256
}

/** The piece of a file that a node has, where it is the beginning of ours. */
async function findPiece(from: string, entry: FileEntry, finding: Finding): Promise<Piece | undefined> {
  if (finding.state !== 'part') return undefined
  const { bytes, name, sha256 } = finding
  return (await hashStart(from, entry, bytes)) === sha256 ? { bytes, name } : undefined
}

/** `a/b` and `a` for `a/b/c`; `.` for a file at the top. */
function ancestorsOf(path: string): string[] {
  const parent = dirname(path)
  return parent === '.' ? ['.'] : [...ancestorsOf(parent), parent]
}

function locate({ shell, node, directory, operationTimeoutMs }: RemoteDirectory) {
  const final = normalize(directory).replace(/\/$/, '')
  if (!/^\/.*[^/]/.test(final) || /[\n\r]/.test(final)) {
    throw new LongshoreError('usage', `"${directory}" is no directory of ${node}: expected an absolute path`)
  }
  const place: Place = { node, home: dirname(final), shell, operationTimeoutMs }
  const name = basename(final)
  return { place, name, final, partial: `${place.home}/.${name}.partial` }
}
