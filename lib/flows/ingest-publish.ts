import { resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { LongshoreError } from '../domain/errors.ts'
import type { Gallery } from '../ports/gallery-store.ts'
import type { Input, Reject, RowBatch } from '../ports/input.ts'
import type { WorkQueue } from '../ports/work-queue.ts'
import { nameOf, renderMessage, type SentItem, sourceOf } from './ingest-message.ts'
import { listItems } from './split-items.ts'

/** Rows that became no item are shown up to so many. */
const MOST_SHOWN = 20
/** Messages of one publishing. */
const PORTION = 1024
/** Looking whether there is room costs as much as some hundred messages. */
const PAUSE_MS = 100

export type PublishCounts = {
  /** Rows that were read. */
  read: number
  /** Items that the gallery holds just so. */
  repeated: number
  /** Items that went into the queue. */
  sent: number
  /** Rows that are no item; the first of them in `rejects`. */
  rejected: number
  readonly rejects: SourceReject[]
}

/** A row that is no item, and where it stands. */
export type SourceReject = Reject & { readonly source: string }

export type Publishing = {
  readonly queue: Pick<WorkQueue, 'publish' | 'depth'>
  readonly gallery: Pick<Gallery, 'reserveVersions' | 'confirm'>
  readonly signal: AbortSignal
  /** How long a full queue may stay as it is. */
  readonly giveUpMs: number
  /** The directory of files that inputs name without holding them. */
  readonly files?: string | undefined
  readonly counts: PublishCounts
}

export function createPublishCounts(): PublishCounts {
  return { read: 0, repeated: 0, sent: 0, rejected: 0, rejects: [] }
}

/**
 * Puts the items of an input into the queue, but for those that the gallery holds already. Raises `remote` where it stays full,
 * `corrupt` for an input of which no row is an item.
 */
export async function publishInput(parts: Publishing, input: Input): Promise<void> {
  const { counts, signal } = parts
  const root = parts.files ?? input.root
  const place = { root: root === undefined ? undefined : resolve(root), source: nameInput(input) }
  const before = counts.rejected
  let named = 0
  for await (const batch of input.read(signal)) {
    const items = await nameItems(parts, batch, place)
    named += items.length
    for (let at = 0; at < items.length; at += PORTION) await publish(parts, items.slice(at, at + PORTION))
  }
  const rejected = counts.rejected - before
  if (named > 0 || rejected === 0) return
  const first = counts.rejects.find(({ source }) => source === place.source)
  throw new LongshoreError(
    'corrupt',
    `${place.source}: none of ${rejected} rows is an item${first ? `; the first: ${first.reason}` : ''}`,
    { hint: 'an item is a JSON object a line with text, file or url: docs/ingest.md' },
  )
}

/** As the operator knows it. */
function nameInput({ kind, files: [file] }: Input): string {
  return file?.path ?? kind
}

async function nameItems(
  { gallery, counts }: Publishing,
  { items, rejects }: RowBatch,
  { root, source: input }: { readonly root: string | undefined; readonly source: string },
): Promise<SentItem[]> {
  const version = await gallery.reserveVersions(items.length)
  const named: SentItem[] = []
  for (const reject of rejects) addReject(counts, { ...reject, source: input })
  for (const [index, item] of listItems(items).entries()) {
    const source = sourceOf(item)
    const id = source && nameOf(item)
    if (id === undefined) addReject(counts, { source: input, row: counts.read + index, reason: LACKING })
    else if (source === 'file' && root === undefined)
      addReject(counts, { source: input, row: id, reason: NO_ROOT })
    else
      named.push({ id, version: version + index, item: { ...item, id }, ...(source === 'file' && { root }) })
  }
  counts.read += items.length + rejects.length
  return named
}

const LACKING = 'has neither a text nor a file nor a url'
const NO_ROOT = 'stands for a file; --files DIRECTORY says where these lie'

function addReject(counts: PublishCounts, reject: SourceReject): void {
  counts.rejected++
  if (counts.rejects.length < MOST_SHOWN) counts.rejects.push(reject)
}

async function publish(parts: Publishing, items: readonly SentItem[]): Promise<void> {
  const { gallery, queue, counts } = parts
  const texts = items.filter(({ item }) => sourceOf(item) === 'text')
  const held = await gallery.confirm(texts)
  const known = new Set(texts.filter((_, index) => held[index]))
  const fresh = items.filter((item) => !known.has(item))
  const messages = fresh.map(renderMessage)
  if (messages.length > 0) await waitForRoom(parts, () => queue.publish(messages))
  counts.repeated += known.size
  counts.sent += fresh.length
}

/** Tries again until the queue takes it, or nothing has left the queue for too long. */
async function waitForRoom(
  { queue, signal, giveUpMs }: Publishing,
  publish: () => Promise<boolean>,
): Promise<void> {
  let [progressAt, before] = [Date.now(), -1]
  while (!(await publish())) {
    const { waiting, held } = await queue.depth()
    if (waiting + held !== before) [progressAt, before] = [Date.now(), waiting + held]
    if (Date.now() - progressAt > giveUpMs) throw stayedFull(waiting + held)
    await wait(PAUSE_MS, undefined, { signal })
  }
}

function stayedFull(count: number): LongshoreError {
  return new LongshoreError('remote', `the queue is full: ${count} items wait, and nobody works them off`, {
    hint: 'ingest.mjs without a source works them off; then run the same command again: it continues',
  })
}
