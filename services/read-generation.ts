import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseNpyHeader } from '../lib/adapters/files/npy.ts'
import { LongshoreError, messageOf } from '../lib/domain/errors.ts'
import type { GenerationRef } from '../lib/domain/generation.ts'
import { CENTROIDS_FILE, MANIFEST_FILE, type Manifest } from '../lib/domain/manifest.ts'
import { parseManifest } from '../lib/domain/parse-manifest.ts'

/** The manifest of a generation on this node. Raises `not-found`, and `corrupt` when it is not the one meant by `ref`. */
export async function readManifest(dataDirectory: string, ref: GenerationRef): Promise<Manifest> {
  const path = join(dataDirectory, ref.name, MANIFEST_FILE)
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new LongshoreError('not-found', `cannot read ${path}: ${messageOf(error)}`, { cause: error })
  })
  const manifest = parseManifest(text, path)
  if (manifest.generation !== ref.name) {
    throw new LongshoreError('corrupt', `${path}: is of ${manifest.generation}, expected ${ref.name}`)
  }
  if (manifest.digest !== ref.digest) {
    throw new LongshoreError('corrupt', `${path}: digest is ${manifest.digest}, expected ${ref.digest}`)
  }
  return manifest
}

/** A small file of a generation, hashed. Raises `corrupt` when it is not what the manifest says. */
export async function readProven(dataDirectory: string, manifest: Manifest, entry: string): Promise<Buffer> {
  const path = join(dataDirectory, manifest.generation, entry)
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new LongshoreError('corrupt', `cannot read ${path}: ${messageOf(error)}`, { cause: error })
  })
  const found = createHash('sha256').update(bytes).digest('hex')
  if (manifest.files.find((file) => file.path === entry)?.sha256 !== found) {
    throw new LongshoreError('corrupt', `${path}: its contents differ from the manifest`)
  }
  return bytes
}

/** Centroids [clusters, dimensions]. Raises `corrupt`. */
export async function readCentroids(dataDirectory: string, manifest: Manifest): Promise<Float32Array> {
  const shape = [manifest.clusters.length, manifest.model.dimensions]
  return await readMatrix(dataDirectory, manifest, { entry: CENTROIDS_FILE, shape })
}

/** The map of a bridge [dimensions of its model, dimensions]; undefined where there is none. Raises `corrupt`. */
export async function readBridge(
  dataDirectory: string,
  manifest: Manifest,
): Promise<Float32Array | undefined> {
  const { bridge, model } = manifest
  if (!bridge) return undefined
  const shape = [bridge.model.dimensions, model.dimensions]
  return await readMatrix(dataDirectory, manifest, { entry: bridge.map, shape })
}

async function readMatrix(
  dataDirectory: string,
  manifest: Manifest,
  { entry, shape: expected }: { readonly entry: string; readonly shape: readonly number[] },
): Promise<Float32Array> {
  const bytes = await readProven(dataDirectory, manifest, entry)
  const path = join(dataDirectory, manifest.generation, entry)
  const { descr, shape, dataOffset } = parseNpyHeader(bytes, path)
  const data = Uint8Array.from(bytes.subarray(dataOffset))
  if (
    descr !== '<f4' ||
    shape.join() !== expected.join() ||
    data.length !== expected[0]! * expected[1]! * 4
  ) {
    throw new LongshoreError(
      'corrupt',
      `${path}: holds ${descr} [${shape.join(', ')}], expected <f4 [${expected.join(', ')}]`,
    )
  }
  return new Float32Array(data.buffer)
}
