import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { LongshoreError, messageOf } from '../../domain/errors.ts'

/** How long a process waits for others to be done with their writing. */
const BUSY_MS = 30_000
/** Pages of 4096 bytes that are logged before they go to their places, which costs several fsyncs. */
const LOG_PAGES = 8192
/** Primary result codes, see https://www.sqlite.org/rescode.html */
const [BUSY, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB] = [5, 8, 10, 11, 13, 14, 26]

const MAKE_ROOM =
  'free some space, or name another directory under state in the profile; then run the same command again'
const BRING_BACK = 'bring back a copy of it, or move it away and send the items again'
const LET_WRITE = 'let the user who runs this write to it, and to its directory'
const HINTS: Readonly<Record<number, string>> = {
  [BUSY]: 'another process writes to it without end: look for one that hangs',
  [READONLY]: LET_WRITE,
  [CANTOPEN]: LET_WRITE,
  [IOERR]: MAKE_ROOM,
  [FULL]: MAKE_ROOM,
  [CORRUPT]: BRING_BACK,
  [NOTADB]: BRING_BACK,
}

/**
 * Opens an SQLite database that several processes use, and makes its tables where there are none. Raises `corrupt` and, on
 * a full disk, `remote`.
 */
export function openDatabase(path: string, schema: string): DatabaseSync {
  return explained(path, () => {
    mkdirSync(dirname(path), { recursive: true })
    const database = new DatabaseSync(path, { timeout: BUSY_MS })
    // Readers and one writer at a time do not wait for each other; what is committed is on disk.
    database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${LOG_PAGES}`,
    )
    database.exec(schema)
    return database
  })
}

/** Does `work` in a transaction that has the only right to write: all of it or nothing. */
export function transact<T>(database: DatabaseSync, path: string, work: () => T): T {
  return explained(path, () => {
    database.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      database.exec('COMMIT')
      return result
    } catch (error) {
      // A full disk has ended it already.
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  })
}

/** Does `work`, and tells what SQLite raises in words for operators. */
export function explained<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw explain(path, error)
  }
}

function explain(path: string, error: unknown): unknown {
  const { errcode, code } = error as { readonly errcode?: number; readonly code?: string }
  // Extended codes have the primary one in their last byte.
  const primary = code === 'ENOSPC' ? FULL : (errcode ?? 0) & 0xff
  const hint = HINTS[primary]
  if (hint === undefined) return error
  const what = primary === FULL ? 'no space left on the disk' : messageOf(error)
  const kind = primary === CORRUPT || primary === NOTADB ? 'corrupt' : 'remote'
  return new LongshoreError(kind, `${path}: ${what}`, { hint, cause: error })
}
