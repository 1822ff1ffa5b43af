import { dirname } from 'node:path/posix'
import { LongshoreError } from '../../domain/errors.ts'
import { countBytes, type FileEntry, type Manifest } from '../../domain/manifest.ts'
import { allowMs, type Place, runScript } from './run-script.ts'
import { CODES, DISCARD, PREPARE, READ_FREE, SALVAGE } from './scripts.ts'

/** What a generation is put together of on a node: those of its files that the node shall hold. */
export type Preparing = {
  readonly place: Place
  readonly manifest: Manifest
  readonly files: readonly FileEntry[]
  readonly signal: AbortSignal
}

/** Directory on the node that a generation is put together in. */
export function locatePartial({ place, manifest }: Pick<Preparing, 'place' | 'manifest'>): string {
  return `${place.home}/.${manifest.generation}.partial`
}

/**
 * Makes the directory that a generation is put together in, with the sound files of a copy that is damaged. Raises
 * `corrupt` when a link is in the way.
 */
export async function prepareDirectory(preparing: Preparing): Promise<void> {
  await makeDirectory(preparing)
  await salvage(preparing)
}

async function makeDirectory({ place, manifest, files, signal }: Preparing): Promise<void> {
  const names = new Set(files.map(({ path }) => dirname(path)))
  const { code, stdout } = await runScript(place, PREPARE, [place.home, manifest.generation], {
    stdin: [...names].map((name) => `${name}\n`).join(''),
    signal,
    timeoutMs: allowMs(place, 0),
    codes: [CODES.link],
  })
  if (code !== CODES.link) return
  throw new LongshoreError('corrupt', `${place.node}: ${stdout.trim()} is a symbolic link`, {
    hint: `see where it leads and remove it on ${place.node}; generations are plain directories`,
  })
}

/** Links will do: nobody writes to a file once it has its own name, here or there. */
async function salvage({ place, manifest, files, signal }: Preparing): Promise<void> {
  await runScript(place, SALVAGE, [place.home, manifest.generation], {
    stdin: listSums(files),
    signal,
    timeoutMs: allowMs(place, countBytes({ files })),
  })
}

/** Lines `SHA256 path`, as scripts read them. */
export function listSums(files: readonly FileEntry[]): string {
  return files.map(({ sha256, path }) => `${sha256} ${path}\n`).join('')
}

/** Deletes what was put together. */
export async function discard({ place, manifest, signal }: Omit<Preparing, 'files'>): Promise<void> {
  const args = [place.home, manifest.generation]
  await runScript(place, DISCARD, args, { signal, timeoutMs: allowMs(place, 0) })
}

/** Bytes that are free where a node keeps generations. */
export async function readFree({ place, signal }: Pick<Preparing, 'place' | 'signal'>): Promise<number> {
  const { stdout } = await runScript(place, READ_FREE, [place.home], { signal, timeoutMs: allowMs(place, 0) })
  return Number.parseInt(stdout, 10)
}
