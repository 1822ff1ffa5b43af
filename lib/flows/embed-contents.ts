import type { Extraction } from '../config/extraction-schema.ts'
import { type Entry, planBounds } from '../domain/batch.ts'
import { createRandom } from '../domain/random.ts'
import type { EmbeddingServer } from '../ports/embedding-server.ts'
import type { Ledger } from '../ports/ledger.ts'
import { CLOCK, type Clock } from './embed-contents-clock.ts'
import { createCounts, type EmbedCounts } from './embed-contents-counts.ts'
import { raiseRemote } from './embed-contents-end.ts'
import { EmbedRun } from './embed-contents-run.ts'

export type EmbedOptions = {
  /** What is to be embedded; what the ledger knows already is passed over. */
  readonly source: AsyncIterable<Entry>
  readonly server: EmbeddingServer
  readonly ledger: Pick<Ledger, 'find' | 'append' | 'bury'>
  /** Limits of the profile, which count before those that the server tells. */
  readonly extraction?: Partial<
    Pick<Extraction, 'batchItems' | 'batchKilobytes' | 'batchTokens' | 'inFlight'>
  >
  /** Interrupts: what is under way is still stored. */
  readonly signal: AbortSignal
  /** How long the server may give nothing at all before the run gives up. */
  readonly giveUpMs?: number
  /** How long requests that are under way may take once the run has to end. */
  readonly drainMs?: number
  /** Told whenever something was stored. */
  readonly onProgress?: (counts: Readonly<EmbedCounts>) => void
  readonly clock?: Clock
}

const GIVE_UP_MS = 5 * 60_000
const DRAIN_MS = 10_000
/** More is never worth it for one process, and each holds a batch in memory. */
const MOST_IN_FLIGHT = 64

/**
 * Embeds contents and puts them into the ledger. Requests grow in number while that makes it faster, and are sent again,
 * in halves or not at all by what the server says; a content that cannot be embedded is buried with the reason. At most
 * one window of requests is redone after an end of any kind. Raises `remote` when nothing further can be embedded, the
 * signal's reason, and what source and ledger raise; everything that was answered is stored by then.
 */
export async function embedContents(options: EmbedOptions): Promise<EmbedCounts> {
  const { server, ledger, extraction = {}, signal, clock = CLOCK } = options
  signal.throwIfAborted()
  const begun = clock.now()
  const source = await beginReading(options.source)
  // A server of our own is started when it is first asked: not for nothing.
  if (!source) return { ...createCounts(), tookMs: clock.now() - begun }
  const { limits, inFlight: told = MOST_IN_FLIGHT } = await server.describe(signal).catch(raiseRemote)
  const { batchItems, batchKilobytes, batchTokens, inFlight } = extraction
  const bytes = batchKilobytes === undefined ? undefined : 1024 * batchKilobytes
  const run = new EmbedRun({
    ...{ source, server, ledger, signal, clock },
    bounds: planBounds({ items: batchItems, bytes, tokens: batchTokens }, limits),
    window: { most: inFlight ?? Math.min(told, MOST_IN_FLIGHT), isFixed: inFlight !== undefined },
    giveUpMs: options.giveUpMs ?? GIVE_UP_MS,
    drainMs: options.drainMs ?? DRAIN_MS,
    onProgress: options.onProgress ?? (() => undefined),
    random: createRandom(process.pid),
  })
  return await run.complete()
}

/** A source whose first entry is read already; undefined where it has none. */
async function beginReading(source: AsyncIterable<Entry>): Promise<AsyncIterable<Entry> | undefined> {
  const entries = source[Symbol.asyncIterator]()
  const first = await entries.next()
  if (first.done) return undefined
  return (async function* () {
    try {
      for (let next: IteratorResult<Entry> = first; !next.done; next = await entries.next()) yield next.value
    } finally {
      await entries.return?.()
    }
  })()
}
