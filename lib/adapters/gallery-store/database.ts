import type { DatabaseSync } from 'node:sqlite'
import { openDatabase } from '../sqlite/database.ts'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS items (
    id TEXT PRIMARY KEY, version INTEGER NOT NULL, revision INTEGER NOT NULL, sent_at INTEGER NOT NULL,
    digest BLOB, content BLOB, item TEXT);
  CREATE INDEX IF NOT EXISTS items_by_revision ON items (revision);
  CREATE INDEX IF NOT EXISTS items_by_content ON items (content) WHERE content IS NOT NULL;
  CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
  INSERT OR IGNORE INTO counters VALUES ('version', 0);
  INSERT OR IGNORE INTO counters VALUES ('revision', 0);
`

/**
 * The table of items: one row for each id, in `item` what it is as JSON, null once it was taken out. `version` orders the
 * sendings of an id, `revision` the changes of the gallery.
 */
export function openGalleryDatabase(path: string): DatabaseSync {
  return openDatabase(path, SCHEMA)
}

export const LIVE_ITEMS = 'FROM items WHERE item IS NOT NULL'
