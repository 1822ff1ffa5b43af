import { setImmediate as nextTurn } from 'node:timers/promises'
import { type BatchBounds, Batcher, type Entry } from '../domain/batch.ts'
import { CONTENT_HASH_BYTES } from '../domain/content.ts'
import type { Ledger } from '../ports/ledger.ts'
import type { Bell } from './embed-contents-bell.ts'

/** Batches that are made before they are wanted. */
const AHEAD = 2
/** Entries after which others get their turn, where the source never waits. */
const TURN = 4096

export type FeedOptions = {
  readonly source: AsyncIterable<Entry>
  readonly ledger: Pick<Ledger, 'find'>
  readonly bounds: BatchBounds
  /** Rung whenever there is something to take, or nothing will come any more. */
  readonly bell: Bell
}

/** Batches of what the ledger does not know, identical contents once, read from a source only as fast as they are taken. */
export class Feed {
  /** Entries that needed no request: known to the ledger, or the same as others. */
  known = 0
  private readonly options: FeedOptions
  private readonly ready: (readonly Entry[])[] = []
  /** What is neither stored nor given up yet. */
  private readonly held = new Set<string>()
  private room = Promise.withResolvers<void>()
  private end: { readonly error?: unknown } | undefined
  private isStopped = false

  constructor(options: FeedOptions) {
    this.options = options
  }

  get isEnded(): boolean {
    return this.end !== undefined && this.ready.length === 0
  }

  /** The next batch; undefined while there is none. Raises what the source raised. */
  take(): readonly Entry[] | undefined {
    if (this.end && 'error' in this.end) throw this.end.error
    const batch = this.ready.shift()
    if (batch) this.makeRoom()
    return batch
  }

  /** The ledger knows them now. */
  release(entries: readonly Entry[]): void {
    for (const { hash } of entries) this.held.delete(renderHash(hash))
  }

  /** Nothing more will be taken. */
  stop(): void {
    this.isStopped = true
    this.makeRoom()
  }

  /** Reads the source to its end, or until it is stopped; failures wait for who takes. */
  async read(): Promise<void> {
    try {
      await this.readBatches()
      this.end = {}
    } catch (error) {
      this.end = { error }
    }
    this.options.bell.ring()
  }

  private async readBatches(): Promise<void> {
    const batcher = new Batcher(this.options.bounds)
    let entries = 0
    for await (const entry of this.options.source) {
      if (++entries % TURN === 0) await nextTurn()
      if (this.isStopped) return
      const batch = this.isNew(entry) ? batcher.add(entry) : undefined
      if (batch) await this.offer(batch)
    }
    const last = batcher.take()
    if (last) await this.offer(last)
  }

  private isNew({ hash }: Entry): boolean {
    const name = renderHash(hash)
    if (this.held.has(name) || this.options.ledger.find(hash) !== undefined) {
      this.known++
      return false
    }
    this.held.add(name)
    return true
  }

  private async offer(batch: readonly Entry[]): Promise<void> {
    this.ready.push(batch)
    this.options.bell.ring()
    while (this.ready.length >= AHEAD && !this.isStopped) await this.room.promise
  }

  private makeRoom(): void {
    this.room.resolve()
    this.room = Promise.withResolvers()
  }
}

/** A hash as a key, one character for each byte. */
function renderHash(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, CONTENT_HASH_BYTES).toString('latin1')
}
