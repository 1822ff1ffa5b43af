import { createHash } from 'node:crypto'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import type { ArchivedFile } from './read-archive.ts'

/** Raises `corrupt` unless the contents of a file in an archive are those that its list tells. */
export async function proveFile(
  archive: string,
  file: ArchivedFile,
  onBlock: (block: Uint8Array) => Promise<void> = async () => undefined,
): Promise<void> {
  const hash = createHash('sha256')
  for await (const block of file.contents) {
    hash.update(block)
    await onBlock(block)
  }
  const found = hash.digest('hex')
  if (found === file.sha256) return
  const list = file.isGallery ? 'the list of gallery files' : 'its manifest'
  throw new LongshoreError(
    'corrupt',
    `${archive}: ${file.path}: SHA-256 is ${found}, ${list} says ${file.sha256}`,
    {
      hint: 'take another copy of this archive',
    },
  )
}

/** Writes a file of an archive below a directory, synced; its name and length were held against a list before. Raises `corrupt`. */
export async function writeProven(archive: string, file: ArchivedFile, directory: string): Promise<void> {
  const path = join(directory, file.path)
  await mkdir(dirname(path), { recursive: true })
  await using handle = await open(path, 'wx')
  await proveFile(archive, file, async (block) => {
    for (let done = 0; done < block.length; ) done += (await handle.write(block, done)).bytesWritten
  })
  await handle.sync()
}
