import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { Parser, type ReadEntry } from 'tar'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import { GALLERY_DIRECTORY, GALLERY_FILE, parseGalleryList } from '../../domain/gallery-list.ts'
import { type FileEntry, MANIFEST_FILE, type Manifest } from '../../domain/manifest.ts'
import { parseManifest } from '../../domain/parse-manifest.ts'
import type { Carried } from '../../ports/archives.ts'
import { hasCode } from '../files/durable-files.ts'

/** No manifest is longer; that of 10,000 shards has 4 MB, and a list of a million gallery files 150 MB. */
const MOST_MANIFEST_BYTES = 64 << 20
const MOST_LIST_BYTES = 256 << 20

/** A file of an archive that its manifest knows, or its list of gallery files, of the length that it says. */
export type ArchivedFile = FileEntry & {
  readonly isGallery: boolean
  readonly contents: AsyncIterable<Uint8Array>
}

type Fail = (problem: string) => Error

export type ReadOptions = Carried & {
  /** Takes the manifest as it stands in the archive, once it is known to be one. */
  readonly onManifest?: (bytes: Uint8Array) => Promise<void>
  /** Takes the contents of each file, to their end, before the next one comes; where left out, only the manifest is read. */
  readonly onFile?: (file: ArchivedFile) => Promise<void>
}

/**
 * Reads an archive from its start, and resolves to its manifest. Raises `not-found`, and `corrupt` naming the entry that is
 * no plain file, in neither list, of another length, repeated or missing, and for an archive that ends too early.
 */
export async function readArchive(
  path: string,
  { onManifest, onFile, ...carried }: ReadOptions,
): Promise<Manifest> {
  const fail: Fail = (problem) =>
    new LongshoreError('corrupt', `${path}: ${problem}`, { hint: 'take another copy of this archive' })
  try {
    const entries = openEntries(path, carried)
    const first = await entries.next()
    if (first.done) throw fail('is empty')
    const bytes = await readManifest(first.value, fail)
    const manifest = parseManifest(bytes.toString(), `${path}: ${MANIFEST_FILE}`)
    await onManifest?.(bytes)
    if (onFile) await readFiles(entries, { manifest, path, onFile, fail })
    await entries.return(undefined)
    return manifest
  } catch (error) {
    carried.signal.throwIfAborted()
    if (hasCode(error, 'ENOENT') && (error as NodeJS.ErrnoException).path === path)
      throw new LongshoreError('not-found', `${path}: no such file`, { cause: error })
    throw 'tarCode' in (error as object) ? fail(`is no whole tar archive (${messageOf(error)})`) : error
  }
}

type Reading = Required<Pick<ReadOptions, 'onFile'>> & {
  readonly manifest: Manifest
  readonly path: string
  readonly fail: Fail
}

async function readFiles(
  entries: AsyncIterable<ReadEntry>,
  { manifest, path, onFile, fail }: Reading,
): Promise<void> {
  const missing = new Map(manifest.files.map((file) => [file.path, { ...file, isGallery: false }]))
  let isListed = false
  for await (const entry of entries) {
    if (entry.path === GALLERY_FILE && !isListed && !missing.has(GALLERY_FILE)) {
      isListed = true
      const text = await readList(entry, fail)
      const name = `${path}: ${GALLERY_FILE}`
      for (const file of parseGalleryList(text, { name, digest: manifest.digest })) {
        missing.set(`${GALLERY_DIRECTORY}/${file.path}`, { ...file, isGallery: true })
      }
      continue
    }
    const file = missing.get(entry.path)
    if (!file || entry.type !== 'File')
      throw fail(
        `${entry.path} (${entry.type}) is not what its ${isListed ? 'lists tell' : 'manifest tells'}`,
      )
    if (entry.size !== file.bytes) {
      const list = file.isGallery ? 'list of gallery files' : 'manifest'
      throw fail(`${entry.path} has ${entry.size} bytes, its ${list} says ${file.bytes}`)
    }
    missing.delete(entry.path)
    await onFile({ ...file, contents: entry as unknown as AsyncIterable<Uint8Array> })
  }
  if (missing.size > 0) throw fail(`lacks ${[...missing.keys()].slice(0, 3).join(', ')}`)
}

async function readManifest(entry: ReadEntry, fail: Fail): Promise<Buffer> {
  if (entry.path !== MANIFEST_FILE || entry.type !== 'File' || entry.size > MOST_MANIFEST_BYTES) {
    throw fail(`is no archive of a generation: begins with ${entry.path}, expected ${MANIFEST_FILE}`)
  }
  return await readWhole(entry)
}

async function readList(entry: ReadEntry, fail: Fail): Promise<string> {
  if (entry.type === 'File' && entry.size <= MOST_LIST_BYTES) return (await readWhole(entry)).toString()
  throw fail(`${entry.path} (${entry.type}, ${entry.size} bytes) is no list of files`)
}

async function readWhole(entry: ReadEntry): Promise<Buffer> {
  const blocks: Uint8Array[] = []
  for await (const block of entry as unknown as AsyncIterable<Uint8Array>) blocks.push(block)
  return Buffer.concat(blocks)
}

/** The entries of a tar file, each to be read to its end before the next one comes. */
async function* openEntries(path: string, { signal, onBytes }: Carried): AsyncGenerator<ReadEntry, void> {
  const { size } = await stat(path)
  const source = createReadStream(path, { signal })
  const entries = new Readable({ objectMode: true, read: () => undefined })
  const parser = new Parser({ strict: true, onReadEntry: (entry) => void entries.push(entry) })
  parser.on('end', () => entries.push(null))
  parser.on('error', (error: Error) => entries.destroy(error))
  source.on('error', (error) => entries.destroy(error))
  source.on('data', (block) => onBytes(block.length, size))
  source.pipe(parser as unknown as NodeJS.WritableStream)
  try {
    for await (const entry of entries) yield entry as ReadEntry
  } finally {
    source.destroy()
  }
}
