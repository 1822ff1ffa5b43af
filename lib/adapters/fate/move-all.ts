import { lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { hasCode, syncDirectory } from '../files/durable-files.ts'
import { listDirectory } from '../local/node-directory.ts'

/** Ends the name of the file that tells where something was put away from. */
const PLACE = '.place'

export type Move = { readonly from: string; readonly to: string }

/**
 * Gives files and directories their final names, or none of them: what was moved goes back when a later one cannot.
 * What has a name already is put away into a directory, or, without one, refused with `usage`.
 */
export async function moveAll(moves: readonly Move[], away: string | undefined): Promise<void> {
  const undo: (() => Promise<void>)[] = []
  try {
    for (const { from, to } of moves) {
      const made = await mkdir(dirname(to), { recursive: true })
      if (made !== undefined) undo.push(() => rm(made, { recursive: true }))
      if (await hasEntry(to)) undo.push(await putAway(to, away))
      await rename(from, to)
      undo.push(() => rename(to, from))
      await syncDirectory(dirname(to))
    }
  } catch (error) {
    for (const back of undo.reverse()) await back()
    throw error
  }
}

/** Whether anything has a name, be it a dangling link. */
export async function hasEntry(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}

/** Resolves to what undoes it. */
export async function putAway(path: string, away: string | undefined): Promise<() => Promise<void>> {
  if (away === undefined) {
    throw new LongshoreError('usage', `${path}: exists already; nothing was written over`, {
      hint: 'choose another unify_model_version, or move away what is there',
    })
  }
  await mkdir(away, { recursive: true })
  const kept = join(away, String((await listDirectory(away)).length))
  await writeFile(kept + PLACE, relative(away, path))
  await syncDirectory(away)
  await rename(path, kept)
  return async () => {
    await rename(kept, path)
    await rm(kept + PLACE)
  }
}

/** Gives what a killed run had put away its name again, where nothing has come in its place. */
export async function bringBack(away: string): Promise<void> {
  for (const name of await listDirectory(away)) {
    const kept = join(away, name.slice(0, -PLACE.length))
    if (!name.endsWith(PLACE) || !(await hasEntry(kept))) continue
    const path = join(away, await readFile(join(away, name), 'utf8'))
    if (!(await hasEntry(path))) await rename(kept, path)
  }
}
