import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { LongshoreError } from '../../domain/errors.ts'
import { type FileEntry, MANIFEST_FILE, type Manifest } from '../../domain/manifest.ts'

const HINT = { hint: 'split the input again, or deliver the generation again from a sound copy' }

/**
 * Proves that a generation's directory holds plain files only, exactly those of its manifest, each as long as it says.
 * Raises `corrupt` naming the file.
 */
export async function checkLayout(directory: string, manifest: Manifest): Promise<void> {
  const sizes = new Map(manifest.files.map(({ path, bytes }) => [path, bytes]))
  const found = await listFiles(directory)
  for (const path of found) {
    if (!sizes.has(path) && path !== MANIFEST_FILE) {
      throw new LongshoreError('corrupt', `${join(directory, path)}: is not in the manifest`, HINT)
    }
  }
  for (const [path, expected] of sizes) {
    if (!found.has(path)) throw new LongshoreError('corrupt', `${join(directory, path)}: is missing`, HINT)
    const { size } = await lstat(join(directory, path))
    if (size !== expected) {
      const message = `${join(directory, path)}: has ${size} bytes, the manifest says ${expected}`
      throw new LongshoreError('corrupt', message, HINT)
    }
  }
}

/** Raises `corrupt` naming the first file whose contents are not those of the manifest. */
export function compareHashes(directory: string, manifest: Manifest, found: readonly FileEntry[]): void {
  const measured = new Map(found.map((file) => [file.path, file.sha256]))
  for (const { path, sha256 } of manifest.files) {
    if (measured.get(path) === sha256) continue
    const message = `${join(directory, path)}: SHA-256 is ${measured.get(path)}, the manifest says ${sha256}`
    throw new LongshoreError('corrupt', message, HINT)
  }
}

/** Length and SHA-256 of a file as it is on disk. */
export async function readFileEntry(directory: string, path: string): Promise<FileEntry> {
  const hash = createHash('sha256')
  let bytes = 0
  await pipeline(createReadStream(join(directory, path)), async (source: AsyncIterable<Buffer>) => {
    for await (const block of source) {
      hash.update(block)
      bytes += block.length
    }
  })
  return { path, bytes, sha256: hash.digest('hex') }
}

async function listFiles(directory: string, below = ''): Promise<Set<string>> {
  const paths = new Set<string>()
  for (const entry of await readdir(join(directory, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isDirectory()) for (const inner of await listFiles(directory, path)) paths.add(inner)
    else if (entry.isFile()) paths.add(path)
    else throw new LongshoreError('corrupt', `${join(directory, path)}: is no plain file`, HINT)
  }
  return paths
}
