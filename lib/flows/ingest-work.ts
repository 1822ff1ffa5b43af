import { setTimeout as wait } from 'node:timers/promises'
import type { Extraction } from '../config/extraction-schema.ts'
import type { Delivery } from '../ports/work-queue.ts'
import { createCounts, type EmbedCounts } from './embed-contents-counts.ts'
import { type Room, Round, type RoundParts } from './ingest-round.ts'

/** Messages that are asked for at a time. */
const PORTION = 256
/** The most that is held at a time: some batches for every request that is under way. */
const USUAL_ROOM = { items: 4096, bytes: 64 << 20 }
/** Batches of the largest size that there is room for, or one that is never full would wait for more for ever. */
const LARGE_BATCHES = 4
const PAUSE_MS = 10
/** An empty queue that somebody still fills ends a round after so long, so that the last batch does not wait for more. */
const PATIENCE_MS = 250

export type WorkParts = RoundParts & {
  /** How often the queue hears that messages are still worked on. */
  readonly extendMs: number
  /** Whether nobody will put anything into the queue any more. */
  readonly isFilled: () => boolean
}

/**
 * Works off the queue until it is empty. Raises what embedContents and the disk raise, and the signal's reason; what was
 * embedded is in the gallery by then, and everything else still in the queue. How each model was asked, in their order.
 */
export async function workOff(parts: WorkParts): Promise<readonly EmbedCounts[]> {
  const totals = parts.models.map(() => createCounts())
  for (let first = await next(parts, () => true); first.length > 0; first = await next(parts, () => true)) {
    const runs = await workRound(parts, first)
    for (const [index, run] of runs.entries()) addCounts(totals[index]!, run)
  }
  return totals
}

/** Room for batches as the models want them. */
export function planRoom(extractions: readonly Pick<Extraction, 'batchItems' | 'batchKilobytes'>[]): Room {
  const largest = (sizes: readonly (number | undefined)[]) =>
    LARGE_BATCHES * Math.max(...sizes.map((size) => size ?? 0))
  return {
    items: Math.max(USUAL_ROOM.items, PORTION + largest(extractions.map(({ batchItems }) => batchItems))),
    bytes: Math.max(
      USUAL_ROOM.bytes,
      1024 * largest(extractions.map(({ batchKilobytes }) => batchKilobytes)),
    ),
  }
}

async function workRound(parts: WorkParts, first: readonly Delivery[]): Promise<readonly EmbedCounts[]> {
  const round = new Round(parts)
  const stop = keepHolding(parts, round)
  try {
    await feed(parts, round, first)
  } catch (error) {
    // It ends the round, which tells of it.
    round.fail(error)
  }
  try {
    return await round.complete()
  } finally {
    stop()
  }
}

async function feed(parts: WorkParts, round: Round, first: readonly Delivery[]): Promise<void> {
  const ended = AbortSignal.any([parts.signal, round.failed])
  for (let portion = first; portion.length > 0; ) {
    await round.take(portion)
    while (round.held > parts.room.items - PORTION || round.heldBytes > parts.room.bytes)
      await wait(PAUSE_MS, undefined, { signal: ended })
    const since = Date.now()
    portion = await next({ ...parts, signal: ended }, () => Date.now() - since < PATIENCE_MS)
  }
}

/** Messages; none once there are none and nobody adds any, or no longer than `mayWait`. */
async function next(
  { queue, signal, isFilled }: Pick<WorkParts, 'queue' | 'signal' | 'isFilled'>,
  mayWait: () => boolean,
): Promise<readonly Delivery[]> {
  for (;;) {
    signal.throwIfAborted()
    const isLast = isFilled()
    const portion = await queue.lease(PORTION)
    if (portion.length > 0 || isLast || !mayWait()) return portion
    await wait(PAUSE_MS, undefined, { signal })
  }
}

function keepHolding({ queue, extendMs }: WorkParts, round: Round): () => void {
  const timer = setInterval(() => {
    queue.extend().catch((error: unknown) => round.fail(error))
  }, extendMs)
  return () => clearInterval(timer)
}

function addCounts(total: EmbedCounts, run: EmbedCounts): void {
  for (const key of Object.keys(total) as (keyof EmbedCounts)[]) {
    total[key] = key === 'window' ? Math.max(total[key], run[key]) : total[key] + run[key]
  }
}
