import { crc32 } from 'node:zlib'
import { type Entry, openPromise, type ZipFile } from 'yauzl'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { FatePackage } from '../../ports/fate-packages.ts'
import { checkBufferSize } from './buffer-size.ts'

/** No model has as many files; an archive that says so is made to fill memory. */
const MOST_ENTRIES = 100_000
const [FILE_TYPE, LINK] = [0o170000, 0o120000]

/**
 * A version of a model in a zip archive; its contents stay there until they are read. Raises `corrupt` for what is no whole
 * archive, for names that lead out of it, links, encryption and names that come twice.
 */
export async function openArchive(source: string): Promise<FatePackage> {
  const fail = (problem: string) =>
    new LongshoreError('corrupt', `${source}: ${problem}`, { hint: 'take another copy of this archive' })
  const archive = await openZip(source, fail)
  try {
    const entries = await listEntries(archive, fail)
    const files = [...entries.values()].filter(({ fileName }) => !fileName.endsWith('/'))
    const stream = (path: string) => readEntry(archive, entries.get(path), { path, fail })
    return {
      source,
      files: files.map(({ fileName, uncompressedSize }) => ({ path: fileName, bytes: uncompressedSize })),
      directories: [...entries.keys()].filter((name) => name.endsWith('/')).map((name) => name.slice(0, -1)),
      async read(path) {
        checkBufferSize(`${source}: ${path}`, entries.get(path)?.uncompressedSize ?? 0)
        const blocks: Uint8Array[] = []
        for await (const block of stream(path)) blocks.push(block)
        return Buffer.concat(blocks)
      },
      stream,
      close: async () => archive.close(),
    }
  } catch (error) {
    archive.close()
    throw error
  }
}

type Fail = (problem: string) => LongshoreError

async function openZip(source: string, fail: Fail): Promise<ZipFile> {
  try {
    return await openPromise(source, { lazyEntries: true, autoClose: false, strictFileNames: true })
  } catch (error) {
    throw fail(`is no whole zip archive (${messageOf(error)})`)
  }
}

async function listEntries(archive: ZipFile, fail: Fail): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>()
  try {
    for await (const entry of archive.eachEntry()) {
      const { fileName } = entry
      if (entries.has(fileName)) throw fail(`names ${fileName} twice`)
      if (entry.isEncrypted()) throw fail(`${fileName} is encrypted`)
      if (((entry.externalFileAttributes >>> 16) & FILE_TYPE) === LINK) throw fail(`${fileName} is a link`)
      if (entries.size >= MOST_ENTRIES) throw fail(`has more than ${MOST_ENTRIES} entries`)
      entries.set(fileName, entry)
    }
  } catch (error) {
    throw error instanceof LongshoreError ? error : fail(messageOf(error))
  }
  return entries
}

/** The contents of an entry, held against its length and checksum. */
async function* readEntry(
  archive: ZipFile,
  entry: Entry | undefined,
  { path, fail }: { path: string; fail: Fail },
): AsyncGenerator<Uint8Array, void> {
  if (!entry) throw fail(`lacks ${path}`)
  let sum = 0
  try {
    for await (const block of await archive.openReadStreamPromise(entry)) {
      sum = crc32(block as Buffer, sum)
      yield block as Buffer
    }
  } catch (error) {
    throw fail(`${path} is damaged (${messageOf(error)})`)
  }
  if (sum !== entry.crc32) throw fail(`${path} is damaged (its checksum is another one)`)
}
