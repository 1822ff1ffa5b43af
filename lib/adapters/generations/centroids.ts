import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { CENTROIDS_FILE } from '../../domain/manifest.ts'
import { parseNpyHeader, renderNpyHeader } from '../files/npy.ts'

/** centroids.npy as bytes; the values are kept bit by bit. */
export function renderCentroids(centroids: Float32Array, dimensions: number): Uint8Array {
  const header = renderNpyHeader('<f4', [centroids.length / dimensions, dimensions])
  return Buffer.concat([header, new Uint8Array(centroids.buffer, centroids.byteOffset, centroids.byteLength)])
}

/** The centroids [clusters, dimensions] of a generation. Raises `corrupt` for any other shape or type. */
export async function readCentroids(
  directory: string,
  expected: { readonly clusters: number; readonly dimensions: number },
): Promise<Float32Array> {
  const path = join(directory, CENTROIDS_FILE)
  const bytes = await readFile(path)
  const { descr, shape, dataOffset, fortranOrder } = parseNpyHeader(bytes, path)
  const [rows, columns] = shape
  const length = expected.clusters * expected.dimensions * 4
  const fits = rows === expected.clusters && columns === expected.dimensions && shape.length === 2
  if (descr !== '<f4' || fortranOrder || !fits || bytes.length !== dataOffset + length) {
    throw new LongshoreError(
      'corrupt',
      `${path}: holds ${descr} of shape (${shape.join(', ')}), expected <f4 of (${expected.clusters}, ${expected.dimensions})`,
    )
  }
  return new Float32Array(
    bytes.buffer.slice(bytes.byteOffset + dataOffset, bytes.byteOffset + dataOffset + length),
  )
}
