import { createHash, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expectedPaths, type Manifest } from '../../../lib/domain/manifest.ts'
import { makeManifest, QUANTISED_CLUSTERS } from './manifest.ts'

/**
 * Writes a generation of random bytes to `<parent>/<generation>`: whole for whoever carries it, of no use to search.
 * `sizeOf` gives the bytes of a file by its path.
 */
export async function writeGenerationFiles(
  parent: string,
  generation: string,
  sizeOf: (path: string) => number = () => 1000,
): Promise<{ readonly directory: string; readonly manifest: Manifest }> {
  const directory = join(parent, generation)
  const files = []
  for (const path of expectedPaths(QUANTISED_CLUSTERS)) {
    const bytes = randomBytes(sizeOf(path))
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), bytes)
    files.push({ path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })
  }
  const manifest = makeManifest(generation, { clusters: QUANTISED_CLUSTERS, files })
  await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest))
  return { directory, manifest }
}
