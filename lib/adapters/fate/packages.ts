import { readFile, stat } from 'node:fs/promises'
import { LongshoreError } from '../../domain/errors.ts'
import type { FatePackages } from '../../ports/fate-packages.ts'
import { hasCode } from '../files/durable-files.ts'
import { emptyMeta, parseMeta } from './define-meta.ts'
import { createDraft } from './draft.ts'
import { hasEntry } from './move-all.ts'
import { openArchive } from './open-archive.ts'
import { openDirectory } from './open-directory.ts'
import { digestFile } from './write-archive.ts'

/** Packages of federated models as directories and zip archives of this machine. */
export function createFatePackages(): FatePackages {
  return {
    async open(paths) {
      for (const path of paths) {
        const found = await find(path)
        if (found) return await (found.isDirectory() ? openDirectory(path) : openArchive(path))
      }
      throw new LongshoreError('not-found', `there is no model package: looked for ${paths.join(' and ')}`, {
        hint: 'name the directory that holds it with --from',
      })
    },
    has: hasEntry,
    createDraft,
    parseMeta: async (...args) => parseMeta(...args),
    emptyMeta: async (...args) => emptyMeta(...args),
    async digest(path) {
      if (!(await hasEntry(path))) throw new LongshoreError('not-found', `${path}: no such file`)
      const beside = `${path}.sha256`
      const written = (await hasEntry(beside))
        ? (await readFile(beside, 'utf8')).split(/\s/, 1)[0]
        : undefined
      return { sha256: (await digestFile(path)).sha256, written }
    },
  }
}

async function find(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}
