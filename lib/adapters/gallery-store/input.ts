import type { DatabaseSync } from 'node:sqlite'
import { renderGalleryKind } from '../../domain/gallery-revision.ts'
import type { Input, RowBatch, SourceItem } from '../../ports/input.ts'
import { BatchBuilder } from '../inputs/batch.ts'
import { explained } from '../sqlite/database.ts'
import { LIVE_ITEMS, openGalleryDatabase } from './database.ts'
import type { GalleryPlaces } from './gallery.ts'

/** A gallery as it was when it was opened, in the order of ids, so that the order of arrival makes no difference. */
export class GalleryInput implements Input {
  readonly kind: string
  readonly files: Input['files']
  readonly rows: number
  readonly dimensions = null
  readonly clusters = null
  readonly root: string
  readonly #path: string
  /** Within one transaction, which sees no later changes. */
  readonly #database: DatabaseSync

  constructor({ path, files }: GalleryPlaces) {
    this.#path = path
    this.root = files
    this.#database = openGalleryDatabase(path)
    this.#database.exec('BEGIN')
    const row = explained(path, () => this.#database.prepare(`SELECT ${SUMMARY} ${LIVE_ITEMS}`).get())!
    this.rows = Number(row.items)
    this.kind = renderGalleryKind(Number(row.revision))
    this.files = [{ path, bytes: Number(row.bytes), modifiedMs: Number(row.newest) }]
  }

  async *read(signal: AbortSignal): AsyncIterable<RowBatch> {
    const builder = new BatchBuilder(null, { hasClusters: false })
    const rows = this.#database.prepare(`SELECT item ${LIVE_ITEMS} ORDER BY id`).iterate()
    for (const { item } of explained(this.#path, () => rows)) {
      builder.add(JSON.parse(String(item)) as SourceItem)
      if (builder.isFull) yield await builder.take(signal)
    }
    if (!builder.isEmpty) yield await builder.take(signal)
  }
}

const SUMMARY = `
  count(*) AS items, coalesce(sum(length(item)), 0) AS bytes, coalesce(max(sent_at), 0) AS newest,
  (SELECT value FROM counters WHERE name = 'revision') AS revision`
