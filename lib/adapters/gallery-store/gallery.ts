import { hash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { canonicalJson, type Json } from '../../domain/canonical-json.ts'
import type { Addition, Gallery, GalleryItem, GallerySummary } from '../../ports/gallery-store.ts'
import type { SourceItem } from '../../ports/input.ts'
import { syncDirectory, writeSynced } from '../files/durable-files.ts'
import { explainDiskError } from '../generations/disk-error.ts'
import { explained, transact } from '../sqlite/database.ts'
import { LIVE_ITEMS, openGalleryDatabase } from './database.ts'

export type GalleryPlaces = {
  /** The database. */
  readonly path: string
  /** The directory of the files that items stand for, named by the hashes of their bytes. */
  readonly files: string
}

/** A gallery in an SQLite database of this machine, beside the files of its items. */
export class SqliteGallery implements Gallery {
  readonly #places: GalleryPlaces
  readonly #database: DatabaseSync

  constructor(places: GalleryPlaces) {
    this.#places = places
    this.#database = openGalleryDatabase(places.path)
  }

  async reserveVersions(count: number): Promise<number> {
    return this.#write(() => this.#raise('version', count) - count + 1)
  }

  async confirm(items: readonly Pick<GalleryItem, 'id' | 'version' | 'item'>[]): Promise<readonly boolean[]> {
    return this.#write(() => {
      const find = this.#database.prepare('SELECT digest FROM items WHERE id = ? AND digest IS NOT NULL')
      const renew = this.#database.prepare('UPDATE items SET version = max(version, ?) WHERE id = ?')
      return items.map(({ id, version, item }) => {
        const found = find.get(id) as { digest: Uint8Array } | undefined
        const isSame = found !== undefined && Buffer.compare(found.digest, digestItem(item)) === 0
        if (isSame) renew.run(version, id)
        return isSame
      })
    })
  }

  async add(items: readonly GalleryItem[]): Promise<readonly Addition[]> {
    return this.#write(() => {
      const { revision } = this.#database.prepare(`SELECT ${REVISION}`).get() as { revision: number }
      const additions = items.map(this.#prepareAdd(revision + 1))
      if (additions.some(({ state }) => state === 'added' || state === 'replaced')) this.#raise('revision', 1)
      return additions
    })
  }

  async remove(ids: readonly string[], version: number): Promise<number> {
    return this.#write(() => {
      const held = this.#database.prepare(`SELECT 1 ${LIVE_ITEMS} AND id = ?`)
      const bury = this.#database.prepare(`
        INSERT INTO items (id, version, revision, sent_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (id) DO UPDATE SET version = ?2, revision = ?3, sent_at = ?4, digest = NULL, content = NULL, item = NULL`)
      let removed = 0
      for (const id of ids) {
        const isHeld = held.get(id) !== undefined
        if (isHeld) removed++
        bury.run(id, version, isHeld ? this.#raise('revision', 1) : 0, Date.now())
      }
      return removed
    })
  }

  async summarize(): Promise<GallerySummary> {
    return explained(this.#places.path, () => {
      const row = this.#database.prepare(`SELECT count(*) AS items, ${REVISION} ${LIVE_ITEMS}`).get()
      return { items: Number(row!.items), revision: Number(row!.revision) }
    })
  }

  async findOldestAfter(
    revision: number,
  ): Promise<{ readonly sentAt: number; readonly changes: number } | undefined> {
    return explained(this.#places.path, () => {
      const row = this.#database
        .prepare('SELECT min(sent_at) AS sent_at, count(*) AS changes FROM items WHERE revision > ?')
        .get(revision)
      const changes = Number(row!.changes)
      return changes > 0 ? { sentAt: Number(row!.sent_at), changes } : undefined
    })
  }

  async keepFile(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#places.files, name)
    if (existsSync(path)) return
    const beside = `${path}.${randomUUID()}.tmp`
    try {
      await mkdir(this.#places.files, { recursive: true })
      await writeSynced(beside, bytes)
      await rename(beside, path)
      await syncDirectory(this.#places.files)
    } catch (error) {
      await rm(beside, { force: true })
      throw explainDiskError(error)
    }
  }

  async close(): Promise<void> {
    this.#database.close()
  }

  /** What is added together has one revision. */
  #prepareAdd(revision: number): (item: GalleryItem) => Addition {
    const find = this.#database.prepare('SELECT version, digest FROM items WHERE id = ?')
    const renew = this.#database.prepare('UPDATE items SET version = ? WHERE id = ?')
    const findSame = this.#database.prepare(
      'SELECT id FROM items WHERE content = ? AND content IS NOT NULL AND id <> ? LIMIT 1',
    )
    const put = this.#database.prepare(`
      INSERT INTO items (id, version, revision, sent_at, digest, content, item) VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET version = excluded.version, revision = excluded.revision,
        sent_at = excluded.sent_at, digest = excluded.digest, content = excluded.content, item = excluded.item`)
    return ({ id, version, item, content, sentAt }) => {
      const digest = digestItem(item)
      const found = find.get(id) as { version: number; digest: Uint8Array | null } | undefined
      if (found && found.version >= version) {
        const isSame = found.digest !== null && Buffer.compare(found.digest, digest) === 0
        return { state: isSame ? 'repeated' : 'outdated' }
      }
      if (found?.digest && Buffer.compare(found.digest, digest) === 0) {
        renew.run(version, id)
        return { state: 'repeated' }
      }
      const same = findSame.get(content, id) as { id: string } | undefined
      put.run(id, version, revision, sentAt, digest, content, JSON.stringify(item))
      return { state: found?.digest ? 'replaced' : 'added', sameAs: same?.id }
    }
  }

  #raise(counter: 'version' | 'revision', by: number): number {
    const row = this.#database
      .prepare('UPDATE counters SET value = value + ? WHERE name = ? RETURNING value')
      .get(by, counter)
    return Number(row!.value)
  }

  #write<T>(work: () => T): T {
    return transact(this.#database, this.#places.path, work)
  }
}

const REVISION = `(SELECT value FROM counters WHERE name = 'revision') AS revision`

/** What tells whether an item is the same as one of its id; files are named by their bytes. */
function digestItem(item: SourceItem): Buffer {
  return hash('sha256', canonicalJson(item as Json), 'buffer')
}
