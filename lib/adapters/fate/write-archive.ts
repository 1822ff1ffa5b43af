import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ZipFile } from 'yazl'
import { syncFile } from '../files/durable-files.ts'

/** The first moment that an archive can name: the same package makes the same archive, whenever it is made. */
const MOMENT = { mtime: new Date(1980, 0, 1), forceDosTimestamp: true }

/** Packs files and directories of a directory into a zip archive as FATE does: without a leading directory. */
export async function writeArchive(
  path: string,
  { root, files, directories }: { root: string; files: readonly string[]; directories: readonly string[] },
): Promise<void> {
  const archive = new ZipFile()
  for (const name of directories) archive.addEmptyDirectory(name, MOMENT)
  for (const name of files) archive.addFile(join(root, name), name, { ...MOMENT, mode: 0o100644 })
  archive.end()
  const output = archive.outputStream as Readable
  // A file that cannot be read is told by the archive alone; its output would never end.
  const broken = once(archive, 'error').then(([error]) => output.destroy(error as Error))
  await Promise.all([
    pipeline(output, createWriteStream(path, { flags: 'wx' })),
    Promise.race([broken, once(output, 'close')]),
  ])
  await syncFile(path)
}

/** Digests of a file in hexadecimal, read once. */
export async function digestFile(path: string): Promise<{ sha256: string; sha1: string; bytes: number }> {
  const [sha256, sha1] = [createHash('sha256'), createHash('sha1')]
  let bytes = 0
  for await (const block of createReadStream(path)) {
    sha256.update(block as Buffer)
    sha1.update(block as Buffer)
    bytes += (block as Buffer).length
  }
  return { sha256: sha256.digest('hex'), sha1: sha1.digest('hex'), bytes }
}
