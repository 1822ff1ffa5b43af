import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { Parser, type ReadEntry } from 'tar'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import { type FileEntry, MANIFEST_FILE, type Manifest } from '../../domain/manifest.ts'
import { parseManifest } from '../../domain/parse-manifest.ts'
import type { Carried } from '../../ports/archives.ts'
import { hasCode } from '../files/durable-files.ts'

/** No manifest is longer; that of 10,000 shards has 4 MB. */
const MOST_MANIFEST_BYTES = 64 << 20

/** A file of an archive that its manifest knows, of the length that it says. */
export type ArchivedFile = FileEntry & { readonly contents: AsyncIterable<Uint8Array> }

export type ReadOptions = Carried & {
  /** Takes the manifest as it stands in the archive, once it is known to be one. */
  readonly onManifest?: (bytes: Uint8Array) => Promise<void>
  /** Takes the contents of each file, to their end, before the next one comes; where left out, only the manifest is read. */
  readonly onFile?: (file: ArchivedFile) => Promise<void>
}

/**
 * Reads an archive from its start, and resolves to its manifest. Raises `not-found`, and `corrupt` naming the entry that is
 * no plain file, not in the manifest, of another length, repeated or missing, and for an archive that ends too early.
 */
export async function readArchive(
  path: string,
  { onManifest, onFile, ...carried }: ReadOptions,
): Promise<Manifest> {
  const fail = (problem: string) =>
    new LongshoreError('corrupt', `${path}: ${problem}`, { hint: 'take another copy of this archive' })
  try {
    const entries = openEntries(path, carried)
    const first = await entries.next()
    if (first.done) throw fail('is empty')
    const bytes = await readManifest(first.value, fail)
    const manifest = parseManifest(bytes.toString(), `${path}: ${MANIFEST_FILE}`)
    await onManifest?.(bytes)
    const missing = new Map(manifest.files.map((file) => [file.path, file]))
    while (onFile) {
      const { value: entry, done } = await entries.next()
      if (done) break
      const file = missing.get(entry.path)
      if (!file || entry.type !== 'File')
        throw fail(`${entry.path} (${entry.type}) is not what its manifest tells`)
      if (entry.size !== file.bytes)
        throw fail(`${entry.path} has ${entry.size} bytes, its manifest says ${file.bytes}`)
      missing.delete(entry.path)
      await onFile({ ...file, contents: entry as unknown as AsyncIterable<Uint8Array> })
    }
    await entries.return(undefined)
    if (onFile && missing.size > 0) throw fail(`lacks ${[...missing.keys()].slice(0, 3).join(', ')}`)
    return manifest
  } catch (error) {
    carried.signal.throwIfAborted()
    if (hasCode(error, 'ENOENT'))
      throw new LongshoreError('not-found', `${path}: no such file`, { cause: error })
    throw 'tarCode' in (error as object) ? fail(`is no whole tar archive (${messageOf(error)})`) : error
  }
}

async function readManifest(entry: ReadEntry, fail: (problem: string) => Error): Promise<Buffer> {
  if (entry.path !== MANIFEST_FILE || entry.type !== 'File' || entry.size > MOST_MANIFEST_BYTES) {
    throw fail(`is no archive of a generation: begins with ${entry.path}, expected ${MANIFEST_FILE}`)
  }
  return Buffer.concat(await collect(entry as unknown as AsyncIterable<Uint8Array>))
}

/** The entries of a tar file, each to be read to its end before the next one comes. */
async function* openEntries(path: string, { signal, onBytes }: Carried): AsyncGenerator<ReadEntry, void> {
  const source = createReadStream(path, { signal })
  const entries = new Readable({ objectMode: true, read: () => undefined })
  const parser = new Parser({ strict: true, onReadEntry: (entry) => void entries.push(entry) })
  parser.on('end', () => entries.push(null))
  parser.on('error', (error: Error) => entries.destroy(error))
  source.on('error', (error) => entries.destroy(error))
  source.on('data', (block) => onBytes(block.length))
  source.pipe(parser as unknown as NodeJS.WritableStream)
  try {
    for await (const entry of entries) yield entry as ReadEntry
  } finally {
    source.destroy()
  }
}

async function collect(contents: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const blocks: Uint8Array[] = []
  for await (const block of contents) blocks.push(block)
  return blocks
}
