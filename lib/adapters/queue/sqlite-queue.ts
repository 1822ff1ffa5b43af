import type { DatabaseSync } from 'node:sqlite'
import type { DeadLetter, Delivery, OpenQueue, QueueDepth, Settlement } from '../../ports/work-queue.ts'
import { identifyProcess, isDead, type ProcessIdentity } from '../process/process-identity.ts'
import { explained, openDatabase, transact } from '../sqlite/database.ts'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, sent_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, held_until INTEGER NOT NULL DEFAULT 0, holder INTEGER);
  CREATE INDEX IF NOT EXISTS held ON messages (holder) WHERE holder IS NOT NULL;
  CREATE TABLE IF NOT EXISTS holders (id INTEGER PRIMARY KEY AUTOINCREMENT, process TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS dead (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, reason TEXT NOT NULL, died_at INTEGER NOT NULL);
`
/** A message that so many workers took and none of them finished ends them, most likely. */
const MOST_ATTEMPTS = 50

export type SqliteQueueSettings = {
  /** The database; made when it is not there. */
  readonly path: string
  /** The most messages that wait or are held. */
  readonly capacity: number
  /** How long a message is held without a word of its worker. */
  readonly holdMs: number
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/**
 * A queue in an SQLite database of this machine. Any number of processes use it at a time; what a killed one held is given
 * out again at once, as it is known to have ended.
 */
export class SqliteQueue implements OpenQueue {
  readonly #settings: Required<SqliteQueueSettings>
  readonly #database: DatabaseSync
  /** The number of this holder, once it has asked for messages. */
  #holder: number | undefined

  constructor(settings: SqliteQueueSettings) {
    this.#settings = { now: Date.now, ...settings }
    this.#database = openDatabase(settings.path, SCHEMA)
    this.#freeDead()
  }

  async publish(bodies: readonly string[]): Promise<boolean> {
    const { capacity, now } = this.#settings
    return this.#durably(() => {
      const { count } = this.#database.prepare('SELECT count(*) AS count FROM messages').get() as Count
      // An empty queue takes any number at once, or those would never come in.
      if (count > 0 && count + bodies.length > capacity) return false
      const insert = this.#database.prepare('INSERT INTO messages (body, sent_at) VALUES (?, ?)')
      for (const body of bodies) insert.run(body, now())
      return true
    })
  }

  async lease(most: number): Promise<readonly Delivery[]> {
    const found = this.#take(most)
    if (found.length > 0 || !this.#freeDead()) return found
    return this.#take(most)
  }

  async extend(): Promise<void> {
    const { now, holdMs } = this.#settings
    this.#write(() =>
      this.#database
        .prepare('UPDATE messages SET held_until = ? WHERE holder = ?')
        .run(now() + holdMs, this.#holder ?? null),
    )
  }

  async settle({ done = [], back = [], dead = [] }: Settlement): Promise<void> {
    this.#write(() => {
      const remove = this.#database.prepare('DELETE FROM messages WHERE seq = ?')
      for (const { token } of done) remove.run(parseToken(token).seq)
      const free = this.#database.prepare(
        'UPDATE messages SET holder = NULL, held_until = 0, attempts = attempts - 1 WHERE seq = ? AND attempts = ?',
      )
      for (const { token } of back) {
        const { seq, attempt } = parseToken(token)
        free.run(seq, attempt)
      }
      for (const { delivery, reason } of dead) this.#bury(parseToken(delivery.token).seq, reason)
    })
  }

  async depth(): Promise<QueueDepth> {
    return explained(this.#settings.path, () => {
      const row = this.#database
        .prepare(
          `SELECT count(*) AS total, count(*) FILTER (WHERE held_until > ?) AS held, min(sent_at) AS oldest,
            (SELECT count(*) FROM dead) AS dead FROM messages`,
        )
        .get(this.#settings.now()) as Record<'total' | 'held' | 'dead', number> & { oldest: number | null }
      const { total, held, dead, oldest } = row
      return { waiting: total - held, held, dead, oldestSentAt: oldest ?? undefined }
    })
  }

  async listDead(most: number): Promise<readonly DeadLetter[]> {
    return explained(this.#settings.path, () => {
      const rows = this.#database.prepare('SELECT * FROM dead ORDER BY seq DESC LIMIT ?').all(most)
      return rows.map(({ body, reason, died_at }) => ({
        body: String(body),
        reason: String(reason),
        diedAt: Number(died_at),
      }))
    })
  }

  async reviveDead(): Promise<number> {
    return this.#durably(() => {
      const { changes } = this.#database
        .prepare('INSERT INTO messages (body, sent_at) SELECT body, ? FROM dead ORDER BY seq')
        .run(this.#settings.now())
      this.#database.exec('DELETE FROM dead')
      return Number(changes)
    })
  }

  /** Gives back what is held here. */
  async close(): Promise<void> {
    try {
      const holder = this.#holder
      if (holder !== undefined) this.#write(() => this.#free(holder))
    } finally {
      this.#database.close()
    }
  }

  #take(most: number): Delivery[] {
    const { now, holdMs } = this.#settings
    const at = now()
    return this.#write(() => {
      const holder = this.#holder ?? this.#enrol()
      const rows = this.#database.prepare(TAKE).all(at + holdMs, holder, at, most) as Taken[]
      this.#holder = holder
      const { hopeless = [], given = [] } = Object.groupBy(rows, ({ attempts }) =>
        attempts > MOST_ATTEMPTS ? 'hopeless' : 'given',
      )
      for (const { seq } of hopeless)
        this.#bury(seq, `${MOST_ATTEMPTS} workers took it, and none of them finished`)
      return given
        .sort((a, b) => a.seq - b.seq)
        .map(({ seq, body, sent_at, attempts }) => ({ token: `${seq}:${attempts}`, body, sentAt: sent_at }))
    })
  }

  /** Frees what ended processes hold; false where there are none. */
  #freeDead(): boolean {
    const holders = this.#database.prepare('SELECT id, process FROM holders').all() as Holder[]
    const dead = holders.filter(({ process }) => isDead(JSON.parse(process) as ProcessIdentity))
    if (dead.length === 0) return false
    this.#write(() => {
      for (const { id } of dead) this.#free(id)
    })
    return true
  }

  /** Tells others which process holds what is taken from now on. */
  #enrol(): number {
    const insert = this.#database.prepare('INSERT INTO holders (process) VALUES (?)')
    return Number(insert.run(JSON.stringify(identifyProcess())).lastInsertRowid)
  }

  #free(holder: number): void {
    this.#database.prepare('UPDATE messages SET holder = NULL, held_until = 0 WHERE holder = ?').run(holder)
    this.#database.prepare('DELETE FROM holders WHERE id = ?').run(holder)
  }

  #bury(seq: number, reason: string): void {
    this.#database
      .prepare('INSERT INTO dead (body, reason, died_at) SELECT body, ?, ? FROM messages WHERE seq = ?')
      .run(reason, this.#settings.now(), seq)
    this.#database.prepare('DELETE FROM messages WHERE seq = ?').run(seq)
  }

  #write<T>(work: () => T): T {
    return transact(this.#database, this.#settings.path, work)
  }

  /** As `write`, on disk when it returns: all else may be lost by a power failure, and is then done again. */
  #durably<T>(work: () => T): T {
    this.#database.exec('PRAGMA synchronous = FULL')
    try {
      return this.#write(work)
    } finally {
      this.#database.exec('PRAGMA synchronous = NORMAL')
    }
  }
}

type Holder = { readonly id: number; readonly process: string }
type Count = { readonly count: number }
type Taken = {
  readonly seq: number
  readonly body: string
  readonly sent_at: number
  readonly attempts: number
}

const TAKE = `
  UPDATE messages SET held_until = ?, holder = ?, attempts = attempts + 1
  WHERE seq IN (SELECT seq FROM messages WHERE held_until <= ? ORDER BY seq LIMIT ?)
  RETURNING seq, body, sent_at, attempts`

function parseToken(token: string): { readonly seq: number; readonly attempt: number } {
  const [seq, attempt] = token.split(':').map(Number)
  return { seq: seq!, attempt: attempt! }
}
