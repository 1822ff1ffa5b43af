import type { Model } from '../domain/model.ts'
import type { GalleryStore } from './gallery-store.ts'
import type { ItemFetcher, ItemSources } from './item-sources.ts'
import type { Ledger } from './ledger.ts'
import type { WorkQueueStore } from './work-queue.ts'

/** Ledgers that workers of several processes add to at a time. */
export interface SharedLedgers {
  /** As LedgerStore.open, without keeping others out: each sees what was there before, and what it adds itself. */
  share(model: Pick<Model, 'fingerprint' | 'dimensions'>): Promise<Ledger>
}

/** What new items go through on their way into generations. */
export type Ingestion = {
  readonly queues: WorkQueueStore
  readonly galleries: GalleryStore
  readonly sources: ItemSources
  readonly fetcher: ItemFetcher
  readonly ledgers: SharedLedgers
}
