import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import type { FatePackage, PackageFile } from '../../ports/fate-packages.ts'
import { checkBufferSize } from './buffer-size.ts'

/** A version of a model in a directory. Raises `corrupt` for links and devices in it: they may lead anywhere. */
export async function openDirectory(root: string): Promise<FatePackage> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const placed = entries.map((entry) => ({ entry, path: relative(root, join(entry.parentPath, entry.name)) }))
  const strange = placed.find(({ entry }) => !entry.isFile() && !entry.isDirectory())
  if (strange)
    throw new LongshoreError('corrupt', `${join(root, strange.path)}: is neither a file nor a directory`)
  const files = await Promise.all(
    placed
      .filter(({ entry }) => entry.isFile())
      .map(async ({ path }): Promise<PackageFile> => ({ path, bytes: (await stat(join(root, path))).size })),
  )
  const sizes = new Map(files.map(({ path, bytes }) => [path, bytes]))
  return {
    source: root,
    files: files.sort((a, b) => (a.path < b.path ? -1 : 1)),
    directories: placed
      .filter(({ entry }) => entry.isDirectory())
      .map(({ path }) => path)
      .sort(),
    async read(path) {
      checkBufferSize(join(root, path), sizes.get(path) ?? 0)
      return await readFile(join(root, path))
    },
    stream: (path) => createReadStream(join(root, path)),
    close: async () => undefined,
  }
}
