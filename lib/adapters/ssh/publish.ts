import { createHash } from 'node:crypto'
import { dirname } from 'node:path/posix'
import { countBytes, MANIFEST_FILE } from '../../domain/manifest.ts'
import { listSums, locatePartial, type Preparing } from './partial.ts'
import { allowMs, runScript } from './run-script.ts'
import { ADOPT, CODES, PUBLISH } from './scripts.ts'
import { sendFile } from './send-file.ts'

/** What is to get its final name; `run` is part of the names of what this attempt alone writes. */
export type Publishing = Preparing & { readonly run: string }

/** Gives the final name to what lies whole, and verified, beside it. */
export async function publishHeld(held: Publishing): Promise<void> {
  await deliverManifest(held)
  await publish(held)
}

/**
 * Gives a generation its final name, with the files of another one of the same content; false, and nothing is changed,
 * where the node does not have all of these sound.
 */
export async function adoptFiles(held: Publishing, other: string): Promise<boolean> {
  const { place, manifest, files, signal } = held
  const { code } = await runScript(place, ADOPT, [place.home, manifest.generation, other], {
    stdin: listSums(files),
    signal,
    timeoutMs: allowMs(place, countBytes({ files })),
    codes: [CODES.missing, CODES.damaged],
  })
  if (code === 0) await publishHeld(held)
  return code === 0
}

async function deliverManifest(held: Publishing): Promise<void> {
  const { place, manifest, run, signal } = held
  const text = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)
  const sha256 = createHash('sha256').update(text).digest('hex')
  await sendFile(place, {
    directory: locatePartial(held),
    entry: { path: MANIFEST_FILE, bytes: text.length, sha256 },
    piece: undefined,
    run,
    contents: (async function* () {
      yield text
    })(),
    signal,
    onBytes: () => undefined,
  })
}

async function publish({ place, manifest, files, run, signal }: Publishing): Promise<void> {
  const { generation } = manifest
  const paths = [MANIFEST_FILE, ...files.map(({ path }) => path)]
  const names = new Set(paths.flatMap((path) => [dirname(path), path]))
  const aside = `${place.home}/.${generation}.old-${run}`
  await runScript(place, PUBLISH, [place.home, generation, aside], {
    stdin: `//${[...names].join('//')}//`,
    signal,
    timeoutMs: allowMs(place, 0),
  })
}
