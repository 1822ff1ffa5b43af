import { lstat, readdir, rename, rm, statfs } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { hasCode, syncDirectory } from '../files/durable-files.ts'

/** Of `stat`, whatever the file system. */
const BLOCK_BYTES = 512

/** The directory that plays a node. Raises `usage` for a name that would lead elsewhere. */
export function locateNode(state: string, node: string): string {
  return resolveInside(join(resolve(state), 'nodes'), node)
}

/** `path` below `directory`. Raises `usage` when it would leave it. */
export function resolveInside(directory: string, path: string): string {
  const resolved = resolve(directory, path)
  if (resolved.startsWith(directory + sep)) return resolved
  throw new LongshoreError('usage', `${path} leads out of ${directory}`)
}

/** Bytes that may still be written below a directory, which need not exist yet. */
export async function readFreeBytes(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory)
    return bavail * bsize
  } catch (error) {
    if (!hasCode(error, 'ENOENT') || dirname(directory) === directory) throw error
    return readFreeBytes(dirname(directory))
  }
}

/** Names in a directory; none when there is no directory. */
export async function listDirectory(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort()
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}

/** Gives a whole directory its final name, in the place of what stood there; services keep what they have open. */
export async function publishDirectory(partial: string, final: string): Promise<void> {
  const aside = join(dirname(final), `.${final.slice(dirname(final).length + 1)}.old-${process.pid}`)
  await rm(aside, { recursive: true, force: true })
  await renameIfPresent(final, aside)
  await rename(partial, final)
  await syncDirectory(dirname(final))
  await rm(aside, { recursive: true, force: true })
}

/** Whether there was something to rename. */
export async function renameIfPresent(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}

/** Bytes below a directory by the name of the generation that they are of, whole or not: `.dg_8.partial` is of dg_8. */
export async function measureTaken(home: string): Promise<Record<string, number>> {
  const taken: Record<string, number> = {}
  for (const entry of await listDirectory(home)) {
    const [, name] = /^\.?(dg_\d+)/.exec(entry) ?? []
    if (name !== undefined) taken[name] = (taken[name] ?? 0) + (await measureBytes(join(home, entry)))
  }
  return taken
}

async function measureBytes(path: string): Promise<number> {
  try {
    const found = await lstat(path)
    if (!found.isDirectory()) return found.blocks * BLOCK_BYTES
    const inside = await Promise.all((await readdir(path)).map((name) => measureBytes(join(path, name))))
    return inside.reduce((sum, bytes) => sum + bytes, 0)
  } catch (error) {
    // A run that is at work meanwhile may take it away.
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return 0
    throw error
  }
}
