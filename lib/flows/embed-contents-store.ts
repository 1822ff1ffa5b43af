import type { Entry } from '../domain/batch.ts'
import { CONTENT_HASH_BYTES } from '../domain/content.ts'
import type { Ledger } from '../ports/ledger.ts'

type Embedded = { readonly entries: readonly Entry[]; readonly vectors: Float32Array }
type Waiting = Embedded & { readonly stored: PromiseWithResolvers<void> }

/** Puts embeddings into the ledger, one write at a time: what comes while one is under way goes with the next. */
export class LedgerQueue {
  private readonly ledger: Pick<Ledger, 'append' | 'bury'>
  private waiting: Waiting[] = []
  private tail: Promise<void> = Promise.resolve()

  constructor(ledger: Pick<Ledger, 'append' | 'bury'>) {
    this.ledger = ledger
  }

  /** Resolves when they are on disk. Raises what the ledger raises. */
  async append(entries: readonly Entry[], vectors: Float32Array): Promise<void> {
    const stored = Promise.withResolvers<void>()
    this.waiting.push({ entries, vectors, stored })
    if (this.waiting.length === 1) this.follow(() => this.writeWaiting())
    await stored.promise
  }

  /** Resolves when it is on disk. Raises what the ledger raises. */
  async bury({ hash }: Entry, reason: string): Promise<void> {
    await this.follow(() => this.ledger.bury(hash, reason))
  }

  private follow(write: () => Promise<void>): Promise<void> {
    const written = this.tail.then(write)
    // Whoever asked hears of a failure; the next write is tried for itself.
    this.tail = written.catch(() => undefined)
    return written
  }

  private async writeWaiting(): Promise<void> {
    const batch = this.waiting
    this.waiting = []
    try {
      await this.ledger.append(joinHashes(batch), joinVectors(batch))
      for (const { stored } of batch) stored.resolve()
    } catch (error) {
      for (const { stored } of batch) stored.reject(error)
    }
  }
}

function joinHashes(batch: readonly Embedded[]): Uint8Array {
  const entries = batch.flatMap((part) => part.entries)
  const hashes = new Uint8Array(entries.length * CONTENT_HASH_BYTES)
  for (const [at, { hash }] of entries.entries()) hashes.set(hash, at * CONTENT_HASH_BYTES)
  return hashes
}

function joinVectors(batch: readonly Embedded[]): Float32Array {
  if (batch.length === 1) return batch[0]!.vectors
  const joined = new Float32Array(batch.reduce((sum, { vectors }) => sum + vectors.length, 0))
  let at = 0
  for (const { vectors } of batch) {
    joined.set(vectors, at)
    at += vectors.length
  }
  return joined
}
