import { readFile, stat } from 'node:fs/promises'
import { hasCode, writeDurably } from '../../lib/adapters/files/durable-files.ts'
import { messageOf } from '../../lib/domain/errors.ts'
import { EMPTY_TABLE, parseRouteTable, type RouteTable } from '../../lib/domain/route-table.ts'
import type { Log } from '../http/log.ts'

/** The table that a router routes by, kept in a file that outlives it. */
export type RouteFile = {
  table(): RouteTable
  /** On disk, and routed by, when this resolves. */
  replace(table: RouteTable): Promise<void>
  close(): void
}

export type RouteFileParts = { readonly log: Log; readonly onChange: (table: RouteTable) => void }

const LOOK_EVERY_MS = 500

/** Opens the file, an empty table where there is none, and follows its changes; one that is no table changes nothing. Raises `usage`. */
export async function openRouteFile(path: string, { log, onChange }: RouteFileParts): Promise<RouteFile> {
  let table = await read(path)
  let seen = await mark(path)
  const look = async () => {
    const now = await mark(path)
    if (now === seen) return
    seen = now
    try {
      table = await read(path)
      onChange(table)
      log('routes_changed', { services: Object.keys(table.services) })
    } catch (error) {
      log('routes_refused', { message: messageOf(error) })
    }
  }
  const timer = setInterval(() => void look(), LOOK_EVERY_MS)
  timer.unref()
  return {
    table: () => table,
    async replace(next) {
      await writeDurably(path, `${JSON.stringify(next, null, 2)}\n`)
      table = next
      onChange(table)
      seen = await mark(path)
    },
    close: () => clearInterval(timer),
  }
}

async function read(path: string): Promise<RouteTable> {
  try {
    return parseRouteTable(await readFile(path, 'utf8'), path)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return EMPTY_TABLE
    throw error
  }
}

/** Changes whenever the file does: each replacement is another inode. */
async function mark(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined)
  return found ? `${found.ino} ${found.mtimeMs} ${found.size}` : ''
}
