import { join } from 'node:path'
import type { GenerationRef } from '../../lib/domain/generation.ts'
import { type Golden, parseGolden } from '../../lib/domain/golden.ts'
import { GOLDEN_FILE, type Manifest } from '../../lib/domain/manifest.ts'
import { readBridge, readCentroids, readManifest, readProven } from '../read-generation.ts'

/** The generation that a gateway routes by, for as long as it runs. */
export type Catalog = {
  readonly ref: GenerationRef
  readonly manifest: Manifest
  /** Row-major [clusters, dimensions], in the order of the manifest's clusters. */
  readonly centroids: Float32Array
  readonly golden: Golden
  /** What leads queries of another model into the generation's space; left out where they are of its own. */
  readonly bridge?: Float32Array
}

/** Reads what a gateway needs of a generation. Raises `not-found`, and `corrupt` when it is not whole or another one. */
export async function readCatalog(dataDirectory: string, ref: GenerationRef): Promise<Catalog> {
  const manifest = await readManifest(dataDirectory, ref)
  const centroids = await readCentroids(dataDirectory, manifest)
  const golden = await readProven(dataDirectory, manifest, GOLDEN_FILE)
  const bridge = await readBridge(dataDirectory, manifest)
  const where = join(dataDirectory, ref.name, GOLDEN_FILE)
  return {
    ref,
    manifest,
    centroids,
    ...(bridge && { bridge }),
    golden: parseGolden(golden.toString(), where, manifest.model.dimensions),
  }
}
