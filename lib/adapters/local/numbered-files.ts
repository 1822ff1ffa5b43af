import { randomUUID } from 'node:crypto'
import { link, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode, writeDurably, writeSynced } from '../files/durable-files.ts'

export type NumberedFile = { readonly number: number; readonly text: string }

/**
 * A value kept as `<directory>/<number>.json`, of which only the file with the largest number counts. Creating the
 * next number is the compare-and-swap of a file system: of many processes that try, one succeeds, and whoever still
 * writes under an older number changes nothing that anybody reads.
 */
export type NumberedFiles = {
  /** The file that counts, undefined when there is none. */
  readNewest(): Promise<NumberedFile | undefined>
  /** Whether this call made the file with `number`, and no larger number exists. */
  create(number: number, text: string): Promise<boolean>
  replace(number: number, text: string): Promise<void>
  removeBelow(number: number): Promise<void>
}

export function createNumberedFiles(directory: string): NumberedFiles {
  const locate = (number: number) => join(directory, `${number}.json`)
  const findNewest = async () => Math.max(0, ...(await listNumbers(directory)))
  return {
    async readNewest() {
      for (;;) {
        const number = await findNewest()
        if (number === 0) return undefined
        try {
          return { number, text: await readFile(locate(number), 'utf8') }
        } catch (error) {
          // A newer one came while we looked, and this one is gone.
          if (!hasCode(error, 'ENOENT')) throw error
        }
      }
    },
    async create(number, text) {
      await mkdir(directory, { recursive: true })
      const beside = join(directory, `${number}.${randomUUID()}.tmp`)
      try {
        await writeSynced(beside, text)
        await link(beside, locate(number))
      } catch (error) {
        if (hasCode(error, 'EEXIST')) return false
        throw error
      } finally {
        await rm(beside, { force: true })
      }
      // Our number may have been used and removed before: the largest one counts.
      return (await findNewest()) === number
    },
    replace: (number, text) => writeDurably(locate(number), text),
    async removeBelow(number) {
      const names = await listNames(directory)
      // Also what a killed process left beside a file.
      const older = names.filter((name) => Number.parseInt(name, 10) < number)
      await Promise.all(older.map((name) => rm(join(directory, name), { force: true })))
    },
  }
}

async function listNumbers(directory: string): Promise<number[]> {
  const names = await listNames(directory)
  return names.flatMap((name) => /^(\d{1,15})\.json$/.exec(name)?.[1] ?? []).map(Number)
}

async function listNames(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}
