import { LongshoreError } from '../../domain/errors.ts'
import { hasCode } from '../files/durable-files.ts'
import { createTurnstile } from './limit.ts'
import { discard, locatePartial, type Preparing, prepareDirectory, readFree } from './partial.ts'
import { countMissing, type Missing, planFiles } from './plan-files.ts'
import { publishHeld } from './publish.ts'
import { sendFile } from './send-file.ts'
import { readSource } from './source-file.ts'
import { takeTurns } from './take-turns.ts'

/** One generation on its way to one node. */
export type Delivery = Preparing & {
  /** Directory that holds the generation. */
  readonly from: string
  /** Part of the names of what this attempt alone writes. */
  readonly run: string
  /** Files on the way at the same time: while one is hashed on the node, others are sent. */
  readonly filesAtOnce: number
  readonly onBytes: (bytes: number) => void
  /** Hears that the last byte is on its way, and later that every file is whole on the node. */
  readonly onMilestone?: ((milestone: 'received' | 'whole') => void) | undefined
  /** Resolves when so many bytes may leave for the node. */
  readonly pace: (bytes: number) => Promise<void>
}

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

/** Makes room again, as far as this delivery took it, and tells how much there is. */
async function giveUpRoom(delivery: Delivery, cause: unknown): Promise<LongshoreError> {
  const { place, manifest } = delivery
  await discard(delivery)
  const needed = countMissing(delivery.files.map((entry) => ({ entry })))
  const free = await readFree(delivery)
  return new LongshoreError(
    'remote',
    `${place.node} has no room for ${manifest.generation}: it needs ${needed} bytes, ${free} are free`,
    { hint: `free some space on ${place.node}, or lower update.keep in the profile`, cause },
  )
}
