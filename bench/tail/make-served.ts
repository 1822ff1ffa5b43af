import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderNpyHeader } from '../../lib/adapters/files/npy.ts'
import { GOLDEN_K, renderGolden } from '../../lib/domain/golden.ts'
import {
  CENTROIDS_FILE,
  computeDigest,
  GOLDEN_FILE,
  MANIFEST_FILE,
  type Manifest,
} from '../../lib/domain/manifest.ts'
import { makeData, type Size } from '../search/make-data.ts'

/** Writes a generation of one cluster that a gateway can route by too, and as many queries of the same kind. */
export function makeServed(directory: string, size: Size): { manifest: Manifest; queries: Float32Array } {
  const { manifest, queries } = makeData(directory, size)
  const { dimensions } = size
  const centroid = queries.slice(0, dimensions)
  const contents: Readonly<Record<string, Uint8Array>> = {
    [CENTROIDS_FILE]: Buffer.concat([
      renderNpyHeader('<f4', [1, dimensions]),
      new Uint8Array(centroid.buffer),
    ]),
    [GOLDEN_FILE]: Buffer.from(renderGolden({ k: GOLDEN_K, queries: [], pairs: [] })),
  }
  const generation = join(directory, manifest.generation)
  const { digest: _digest, ...rest } = manifest
  const files = manifest.files.map((file) => {
    const bytes = contents[file.path]
    if (!bytes) return file
    writeFileSync(join(generation, file.path), bytes)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    return { path: file.path, bytes: bytes.length, sha256 }
  })
  const unsigned = { ...rest, files }
  const whole = { ...unsigned, digest: computeDigest(unsigned) }
  writeFileSync(join(generation, MANIFEST_FILE), JSON.stringify(whole))
  return { manifest: whole, queries }
}
