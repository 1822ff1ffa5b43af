import { readFile, realpath } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import type { ItemFiles } from '../../ports/input.ts'
import { hasCode } from '../files/durable-files.ts'

/** Reads files of this machine, none of them outside of its root, also by a link. */
export function createItemFiles(): ItemFiles {
  return {
    async read(root, path) {
      const whole = resolve(root, path)
      try {
        const [base, found] = await Promise.all([realpath(root), realpath(whole)])
        if (found.startsWith(base + sep)) return await readFile(found)
      } catch (error) {
        if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error
        throw new LongshoreError('not-found', `${whole}: no such file`, {
          hint: 'name the directory that the files of the items lie in: --files DIRECTORY',
          cause: error,
        })
      }
      throw new LongshoreError('usage', `${path}: leaves the directory of the items, ${root}`)
    },
  }
}
