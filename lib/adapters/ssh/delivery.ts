import { createHash } from 'node:crypto'
import { dirname } from 'node:path/posix'
import { LongshoreError } from '../../domain/errors.ts'
import { countBytes, type FileEntry, MANIFEST_FILE, type Manifest } from '../../domain/manifest.ts'
import { hasCode } from '../files/durable-files.ts'
import { type Finding, surveyFiles } from './held-files.ts'
import { createTurnstile } from './limit.ts'
import { allowMs, type Place, runScript } from './run-script.ts'
import { ADOPT, CODES, DISCARD, PREPARE, PUBLISH, READ_FREE, SALVAGE } from './scripts.ts'
import { type Piece, sendFile } from './send-file.ts'
import { hashStart, readSource } from './source-file.ts'
import { takeTurns } from './take-turns.ts'

/** One generation on its way to one node. */
export type Delivery = {
  readonly place: Place
  readonly manifest: Manifest
  /** Those of its files that the node shall hold. */
  readonly files: readonly FileEntry[]
  /** Directory that holds the generation. */
  readonly from: string
  /** Part of the names of what this attempt alone writes. */
  readonly run: string
  /** Files on the way at the same time: while one is hashed on the node, others are sent. */
  readonly filesAtOnce: number
  readonly signal: AbortSignal
  readonly onBytes: (bytes: number) => void
  /** Hears that the last byte is on its way, and later that every file is whole on the node. */
  readonly onMilestone?: ((milestone: 'received' | 'whole') => void) | undefined
  /** Resolves when so many bytes may leave for the node. */
  readonly pace: (bytes: number) => Promise<void>
}

type Publishing = Pick<Delivery, 'place' | 'manifest' | 'files' | 'run' | 'signal'>

/** A file that has to be sent, from the end of the piece that the node has of it. */
type Missing = { readonly entry: FileEntry; readonly piece: Piece | undefined }

/**
 * Puts a generation together beside its final name, then gives it that name. Keeps what an earlier attempt has brought
 * over. Resolves to the bytes sent. Raises `remote` when there is no room, and then leaves nothing; `corrupt` when a
 * file arrives otherwise than the manifest says or a symbolic link is in the way.
 */
export async function deliverFiles(delivery: Delivery): Promise<number> {
  try {
    await prepareDirectory(delivery)
    const missing = await planFiles(delivery)
    // The next one begins when one is half sent: two that end together would leave the line idle while the node reads
    // them back. Small ones come last, for the same reason.
    const turnstile = createTurnstile(1)
    const inTurn = missing.toSorted((a, b) => b.entry.bytes - a.entry.bytes)
    let toEnd = inTurn.length
    const onEnd = () => {
      if (--toEnd === 0) delivery.onMilestone?.('received')
    }
    await takeTurns(inTurn, delivery.filesAtOnce, delivery.signal, (file, signal) =>
      turnstile((leave) => deliverFile(delivery, file, { signal, leave, onEnd })),
    )
    delivery.onMilestone?.('whole')
    await publishHeld(delivery)
    return missing.reduce((sum, { entry, piece }) => sum + entry.bytes - (piece?.bytes ?? 0), 0)
  } catch (error) {
    throw hasCode(error, 'ENOSPC') ? await giveUpRoom(delivery, error) : error
  }
}

/** Gives the final name to what lies whole, and verified, beside it. */
export async function publishHeld(held: Publishing): Promise<void> {
  await deliverManifest(held)
  await publish(held)
}

type Preparing = Pick<Delivery, 'place' | 'manifest' | 'files' | 'signal'>

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

function listSums(files: readonly FileEntry[]): string {
  return files.map(({ sha256, path }) => `${sha256} ${path}\n`).join('')
}

/** What has to be sent. Raises `ENOSPC` when it has no room. */
async function planFiles(delivery: Delivery): Promise<Missing[]> {
  const { place, files, signal } = delivery
  const [findings, free] = await Promise.all([
    surveyFiles(place, locatePartial(delivery), files, signal),
    readFree(delivery),
  ])
  // Links and the like are made by no delivery: nothing of it is worth keeping.
  if (findings.some(isForeign)) return discardAndPlan(delivery)
  const missing: Missing[] = []
  for (const [index, entry] of files.entries()) {
    const finding = findings[index]!
    if (finding.state === 'whole' && finding.sha256 === entry.sha256) continue
    missing.push({ entry, piece: await findPiece(delivery, entry, finding) })
  }
  if (free >= countMissing(missing)) return missing
  // A piece is copied before it is continued: without it there may be room enough.
  if (missing.some(({ piece }) => piece)) return discardAndPlan(delivery)
  throw Object.assign(new Error('no room'), { code: 'ENOSPC' })
}

async function discardAndPlan(delivery: Delivery): Promise<Missing[]> {
  await discard(delivery)
  await prepareDirectory(delivery)
  return planFiles(delivery)
}

function isForeign(finding: Finding): boolean {
  return finding.state === 'link' || (finding.state === 'wrong' && finding.problem === 'is no plain file')
}

/** The piece of a file that a node has, where it is the beginning of ours. */
async function findPiece({ from }: Delivery, entry: FileEntry, finding: Finding): Promise<Piece | undefined> {
  if (finding.state !== 'part') return undefined
  const { bytes, name, sha256 } = finding
  return (await hashStart(from, entry, bytes)) === sha256 ? { bytes, name } : undefined
}

function countMissing(missing: readonly Missing[]): number {
  return missing.reduce((sum, { entry }) => sum + entry.bytes, 0)
}

async function deliverFile(
  delivery: Delivery,
  { entry, piece }: Missing,
  turn: { readonly signal: AbortSignal; readonly leave: () => void; readonly onEnd: () => void },
): Promise<void> {
  const { place, from, run, onBytes, pace } = delivery
  const known = piece?.bytes ?? 0
  await sendFile(place, {
    directory: locatePartial(delivery),
    entry,
    piece,
    run,
    contents: tellHalf(
      paceBlocks(readSource(from, entry, known), pace),
      (entry.bytes - known) / 2,
      turn.leave,
    ),
    signal: turn.signal,
    onEnd: turn.onEnd,
    onBytes,
  })
}

/** Tells when `half` of the bytes have been asked for, or when there is nothing more to ask for. */
async function* tellHalf(
  blocks: AsyncIterable<Uint8Array>,
  half: number,
  tell: () => void,
): AsyncGenerator<Uint8Array> {
  let passed = 0
  try {
    for await (const block of blocks) {
      passed += block.length
      if (passed >= half) tell()
      yield block
    }
  } finally {
    tell()
  }
}

async function* paceBlocks(
  blocks: AsyncIterable<Uint8Array>,
  pace: Delivery['pace'],
): AsyncGenerator<Uint8Array> {
  for await (const block of blocks) {
    await pace(block.length)
    yield block
  }
}

async function deliverManifest(delivery: Publishing): Promise<void> {
  const { place, manifest, run, signal } = delivery
  const text = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)
  const sha256 = createHash('sha256').update(text).digest('hex')
  await sendFile(place, {
    directory: locatePartial(delivery),
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

/** Makes room again, as far as this delivery took it, and tells how much there is. */
async function giveUpRoom(delivery: Delivery, cause: unknown): Promise<LongshoreError> {
  const { place, manifest } = delivery
  await discard(delivery)
  const needed = countMissing(delivery.files.map((entry) => ({ entry, piece: undefined })))
  const free = await readFree(delivery)
  return new LongshoreError(
    'remote',
    `${place.node} has no room for ${manifest.generation}: it needs ${needed} bytes, ${free} are free`,
    { hint: `free some space on ${place.node}, or lower update.keep in the profile`, cause },
  )
}

async function discard({ place, manifest, signal }: Delivery): Promise<void> {
  const args = [place.home, manifest.generation]
  await runScript(place, DISCARD, args, { signal, timeoutMs: allowMs(place, 0) })
}

async function readFree({ place, signal }: Delivery): Promise<number> {
  const { stdout } = await runScript(place, READ_FREE, [place.home], { signal, timeoutMs: allowMs(place, 0) })
  return Number.parseInt(stdout, 10)
}

/** Directory on the node that a generation is put together in. */
export function locatePartial({ place, manifest }: Pick<Delivery, 'place' | 'manifest'>): string {
  return `${place.home}/.${manifest.generation}.partial`
}
