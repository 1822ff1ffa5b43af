import { lstat, mkdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { hasCode, syncDirectory } from '../files/durable-files.ts'

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

async function putAway(path: string, away: string | undefined): Promise<() => Promise<void>> {
  if (away === undefined) {
    throw new LongshoreError('usage', `${path}: exists already; nothing was written over`, {
      hint: 'choose another unify_model_version, or move away what is there',
    })
  }
  await mkdir(away, { recursive: true })
  const kept = join(away, `${basename(dirname(path))} ${basename(path)}`)
  await rm(kept, { recursive: true, force: true })
  await rename(path, kept)
  return () => rename(kept, path)
}
